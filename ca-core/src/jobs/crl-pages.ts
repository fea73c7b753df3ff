/**
 * The entries of a CRL, page by page; between two pages other work has its turn (x509/tbs-cert-list.ts sees to that), so
 * that a revocation is signed at once even while a CRL of a million entries is made.
 */
import {
  type ChangedCertificate,
  type CrlCoverage,
  listChangesOf,
  listRevoked,
  type RevokedCertificate,
} from '../store/crl-entries.ts';
import type { StoreReader } from '../store/statements.ts';

/** CRLReason removeFromCRL, RFC 5280 §5.3.1: on delta CRLs only. */
export const removeFromCrl = 8;

/** Some 5 ms of work. */
const pageSize = 1000;

/**
 * The revoked certificates of a full CRL.
 *
 * @param listedSince epoch milliseconds; certificates that ended before are left out, unless they were revoked after it
 */
export async function* fullCrlPages(
  store: StoreReader,
  coverage: CrlCoverage,
  listedSince: number,
): AsyncGenerator<readonly RevokedCertificate[], void, undefined> {
  let last = '';
  for (;;) {
    const page = listRevoked(store, coverage, last, listedSince, pageSize);
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    last = page.at(-1)?.serialNumber ?? last;
  }
}

/**
 * The entries of a delta CRL (RFC 5280 §5.2.4): for each certificate whose status changed behind the position of the base,
 * how it stands now, once. One that was released is removeFromCRL, whether the base lists it or another CRL since.
 */
export async function* deltaCrlPages(
  store: StoreReader,
  coverage: CrlCoverage,
  afterPosition: number,
): AsyncGenerator<readonly RevokedCertificate[], void, undefined> {
  // A revocation for good is the last change of a certificate; only those that were on hold may come again.
  const cameBefore = new Set<string>();
  let position = afterPosition;
  for (;;) {
    const changes = listChangesOf(store, coverage, position, pageSize);
    const entries: RevokedCertificate[] = [];
    for (const change of changes) {
      if (cameBefore.has(change.serialNumber)) continue;
      if (change.state !== 'revoked') cameBefore.add(change.serialNumber);
      entries.push(asItStands(change));
    }
    if (entries.length > 0) yield entries;
    if (changes.length < pageSize) return;
    position = changes.at(-1)?.position ?? position;
  }
}

function asItStands({ serialNumber, at, revocation }: ChangedCertificate): RevokedCertificate {
  return revocation ?? { serialNumber, revokedAt: at, reason: removeFromCrl, invalidityDate: null };
}
