// The status of everything that was issued to the clients: what the keep knows of a certificate, its responder and its CRL
// say too, each asked where the certificate itself sends for it.

import assert from 'node:assert/strict';
import { eventually } from './patience.ts';
import type { Session } from './session.ts';
import type { CrlFile } from './status/crl-files.ts';
import { entryOf, fetchVerified } from './status/expect-crl.ts';
import { expectCurrent } from './status/expect-ocsp.ts';
import { askByPost } from './status/openssl-ocsp.ts';
import { readPointers, type StatusPointers } from './status/pointers.ts';
import { only } from './status/subject.ts';

/** A certificate in a file, and what the keep knows of it. */
type Known = {
  /** Hexadecimal, upper case, as openssl writes it. */
  readonly serialNumber: string;
  readonly file: string;
  readonly isRevoked: boolean;
  readonly pointers: StatusPointers;
};

/** Profiles whose certificates say themselves that they have no status, RFC 9608. */
const withoutStatus: ReadonlySet<string> = new Set([
  'tls-server-short-lived',
  'tls-client-short-lived',
  'tls-server-validated-short-lived',
]);
/** The most that `gatehouse cert list` gives. */
const listLimit = '10000';

/** RFC 6960 §2.2: every certificate is good, or revoked, as the keep has it. @throws naming the first that is not */
export async function proveByOcsp(session: Session): Promise<void> {
  for (const { serialNumber, file, isRevoked, pointers } of await knownCertificates(session)) {
    const wanted = isRevoked ? 'revoked' : 'good';
    const question = { certificates: [file], options: ['-no_nonce'] };
    const { status } = await eventually(
      async () => expectCurrent((await askByPost(session, only(pointers.ocsp, 'OCSP responder'), question)).statuses),
      (seen) => seen.status === wanted,
    );
    assert.equal(status, wanted, `the certificate ${serialNumber}`);
  }
}

/** RFC 5280 §6.3: those that are revoked, and no others, are on the CRLs that they name. @throws naming the first */
export async function proveByCrl(session: Session): Promise<void> {
  const onCrls = Map.groupBy(await knownCertificates(session), ({ pointers }) => only(pointers.crls, 'CRL'));
  for (const [url, certificates] of onCrls) {
    const firstWrong = (crl: CrlFile) =>
      certificates.find(({ serialNumber, isRevoked }) => (entryOf(crl, serialNumber) !== undefined) !== isRevoked);
    const crl = await eventually(
      () => fetchVerified(session, url, session.stack.endpoints.chain),
      (seen) => firstWrong(seen) === undefined,
    );
    assert.equal(firstWrong(crl)?.serialNumber, undefined, `${url} must list what is revoked and nothing else`);
  }
}

async function knownCertificates({ stack, certificates }: Session): Promise<readonly Known[]> {
  const listed = await stack.operator('cert', 'list', '--limit', listLimit);
  assert(Array.isArray(listed), 'gatehouse cert list --json must print a list');
  const rows: readonly { readonly serialNumber: string; readonly profile: string; readonly state: string }[] = listed;
  const known: Known[] = [];
  for (const { serialNumber, profile, state } of rows) {
    const file = certificates.fileOf(serialNumber);
    if (file === undefined || withoutStatus.has(profile)) continue;
    const isRevoked = state === 'revoked' || state === 'held';
    known.push({ serialNumber: serialNumber.toUpperCase(), file, isRevoked, pointers: await readPointers(file) });
  }
  assert(known.length > 0, 'there must be certificates');
  return known;
}
