// What every CRL must be, and the waiting until a change is on it.

import assert from 'node:assert/strict';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import { type CrlFile, fetchCrl, verifyCrl } from './crl-files.ts';
import type { CrlEntry } from './crl-output.ts';
import { expectNow } from './expect-ocsp.ts';

/** Fetches a CRL that must be of now, signed by its issuer, and as RFC 5280 §5 profiles it. @throws when it is not */
export async function fetchVerified(session: Session, url: string, issuerFile: string): Promise<CrlFile> {
  const crl = await fetchCrl(session, url);
  await verifyCrl(crl, issuerFile);
  expectNow(crl.contents);
  // RFC 5280 §5.2.1: all conforming CRLs have it.
  assert(crl.contents.hasAuthorityKeyIdentifier, 'there must be an authorityKeyIdentifier');
  return crl;
}

/** The entry of a certificate. */
export function entryOf({ contents }: CrlFile, serialNumber: string): CrlEntry | undefined {
  return contents.entries.find((entry) => entry.serialNumber === serialNumber);
}

/** Fetches the CRL until it has an entry for this reason, in the words of openssl. @throws when it has not */
export async function untilListed(
  session: Session,
  url: string,
  serialNumber: string,
  reason: string | undefined,
): Promise<CrlFile> {
  const isListed = (crl: CrlFile) => {
    const entry = entryOf(crl, serialNumber);
    return entry !== undefined && entry.reason === reason;
  };
  const seen = await eventually(() => fetchVerified(session, url, session.stack.endpoints.chain), isListed);
  const entry = entryOf(seen, serialNumber);
  assert(entry !== undefined, `${url} must list the certificate`);
  assert.equal(entry.reason, reason);
  return seen;
}

/** Fetches the CRL until it has no entry. @throws when it has one for too long */
export async function untilUnlisted(session: Session, url: string, serialNumber: string): Promise<CrlFile> {
  const isUnlisted = (crl: CrlFile) => entryOf(crl, serialNumber) === undefined;
  const seen = await eventually(() => fetchVerified(session, url, session.stack.endpoints.chain), isUnlisted);
  assert(isUnlisted(seen), `${url} must not list the certificate`);
  return seen;
}

/** URL of the delta, as the CRL itself names it. @throws when it names none */
export function deltaUrl({ url, contents }: CrlFile): string {
  assert(contents.freshest !== undefined, `${url} must say where its delta is`);
  return contents.freshest;
}

/** RFC 5280 §5.2.4: whether the delta completes this CRL. @throws when it does not */
export function expectCompletes(delta: CrlFile, complete: CrlFile): void {
  const { baseNumber, number } = delta.contents;
  assert(baseNumber !== undefined, 'a delta must have a critical deltaCRLIndicator');
  assert(baseNumber <= complete.contents.number, 'the delta must start from this CRL, or from one before it');
  assert(number > baseNumber, 'the delta must come behind the CRL that it starts from');
  // The same scope, so that both are of the same certificates.
  assert.deepEqual(delta.contents.distributionPoint, complete.contents.distributionPoint);
  assert.equal(delta.contents.freshest, undefined, 'a delta must not name a delta');
}
