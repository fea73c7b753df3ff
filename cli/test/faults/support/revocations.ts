// Revocations, and when everybody sees them.

import { RevocationReason } from '@gatehouse/proto/types';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { missingOn, type RelyingParty, readVerifiedCrl } from './relying-party.ts';
import { until } from './until.ts';

/** Revokes; resolves when the core has answered for all of them. */
export async function revokeAll(client: CoreClient, serialNumbers: readonly string[]): Promise<void> {
  const reason = RevocationReason.REVOCATION_REASON_SUPERSEDED;
  await Promise.all(serialNumbers.map((serialNumber) => client.revoke({ serialNumber, reason })));
}

/** Waits until relying parties see that all of these are revoked, by OCSP and on both CRLs that list them. */
export async function untilRevoked(relyingParty: RelyingParty, serialNumbers: readonly string[]): Promise<void> {
  for (const name of ['issuing', 'issuing-1']) {
    let etag: string | undefined;
    await until(`${name} lists all that was revoked`, async () => {
      // A large CRL is only read when it is another one.
      const answer = await relyingParty.fetch(`/crl/${name}.crl`, etag);
      if (answer.status !== 200) return false;
      etag = answer.etag;
      return missingOn(readVerifiedCrl(answer.body, relyingParty.issuer), serialNumbers).length === 0;
    });
  }
  for (const serialNumber of serialNumbers) {
    await until(`OCSP says that ${serialNumber} is revoked`, async () => {
      return (await relyingParty.ocsp(serialNumber)).kind === 'revoked';
    });
  }
}
