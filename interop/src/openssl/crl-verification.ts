// Path validation with CRLs for every certificate of the chain, RFC 5280 §6.3: with files, with what openssl fetches by
// itself, and with deltas to a CRL that is older than the revocation.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { crlUrl, fetchCrl } from '../status/crl-files.ts';
import { deltaUrl, entryOf, expectCompletes, fetchVerified, untilListed, untilUnlisted } from '../status/expect-crl.ts';
import { hold, release, revoke } from '../status/operator.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject, only, type Subject } from '../status/subject.ts';
import { expectInvalid, expectValid } from '../status/verify.ts';

const section = 'RFC 5280 §6.3';
const deltas = 'RFC 5280 §5.2.4, §6.3.3';
const revoked = 'certificate revoked';
const otherScope = '[Dd]ifferent CRL scope';

/** The operations. */
export const crlVerification: readonly Operation[] = [
  { name: 'verify -crl_check_all: valid, by the CRLs that the chain names', section, run: verifyByPointers },
  { name: 'verify -crl_check_all: valid, by the complete CRL', section, run: verifyByComplete },
  { name: 'verify -crl_check_all -crl_download: valid, then revoked', section, run: verifyByDownload },
  { name: 'verify -crl_check_all: revoked, by the shard and by the complete CRL', section, run: verifyRevoked },
  { name: 'verify -crl_check_all: on hold, then valid again', section, run: verifyHeld },
  { name: 'verify: another CRL than the certificate names does not do', section, run: verifyByOther },
  { name: 'verify -use_deltas: revoked since the CRL, by its delta', section: deltas, run: verifyRevokedByDelta },
  { name: 'verify -use_deltas: released since the CRL, by its delta', section: deltas, run: verifyReleasedByDelta },
];

async function verifyByPointers(session: Session): Promise<void> {
  const { certificateFile, crl } = await enrollSubject(session, 'valid');
  const crls = [(await fetchCrl(session, crl)).file, await rootCrl(session)];
  await expectValid(session, { certificateFile, crls });
  // Without the one of the root the chain is not checked as a whole.
  await expectInvalid(session, { certificateFile, crls: crls.slice(0, 1) }, 'unable to get certificate CRL');
}

async function verifyByComplete(session: Session): Promise<void> {
  const { certificateFile } = await enrollSubject(session, 'valid');
  const complete = await fetchCrl(session, crlUrl(session, 'issuing'));
  await expectValid(session, { certificateFile, crls: [complete.file, await rootCrl(session)] });
}

async function verifyByDownload(session: Session): Promise<void> {
  const { certificateFile, crl, serialNumber } = await enrollSubject(session, 'downloading');
  // The trust anchor names no CRL, and openssl asks for one of its own.
  const verification = { certificateFile, crls: [await rootCrl(session)], options: ['-crl_download'] };
  await expectValid(session, verification);
  await revoke(session, serialNumber, 'superseded');
  await untilListed(session, crl, serialNumber, 'Superseded');
  await expectInvalid(session, verification, revoked);
}

async function verifyRevoked(session: Session): Promise<void> {
  const { certificateFile, crl, serialNumber } = await enrollSubject(session, 'revoked');
  await revoke(session, serialNumber, 'key-compromise');
  for (const url of [crl, crlUrl(session, 'issuing')]) {
    const { file } = await untilListed(session, url, serialNumber, 'Key Compromise');
    await expectInvalid(session, { certificateFile, crls: [file, await rootCrl(session)] }, revoked);
  }
}

async function verifyHeld(session: Session): Promise<void> {
  const { certificateFile, crl, serialNumber } = await enrollSubject(session, 'suspended');
  const root = await rootCrl(session);
  await hold(session, serialNumber);
  const held = await untilListed(session, crl, serialNumber, 'Certificate Hold');
  await expectInvalid(session, { certificateFile, crls: [held.file, root] }, revoked);
  await release(session, serialNumber);
  const released = await untilUnlisted(session, crl, serialNumber);
  await expectValid(session, { certificateFile, crls: [released.file, root] });
}

async function verifyByOther(session: Session): Promise<void> {
  const { certificateFile } = await enrollSubject(session, 'valid');
  // It has nothing to say about certificates that are no CA's.
  const { file } = await fetchCrl(session, crlUrl(session, 'issuing-ca'));
  const crls = [file, await rootCrl(session)];
  await expectInvalid(session, { certificateFile, crls }, otherScope);
}

async function verifyRevokedByDelta(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  const { certificateFile, crl, issuerFile, serialNumber } = subject;
  const old = await fetchVerified(session, crl, issuerFile);
  await revoke(session, serialNumber, 'key-compromise');
  const delta = await untilListed(session, deltaUrl(old), serialNumber, 'Key Compromise');
  expectCompletes(delta, old);
  const root = await rootCrl(session);
  // Who looks at no deltas cannot know yet.
  await expectValid(session, { certificateFile, crls: [old.file, root], options });
  await expectInvalid(session, { certificateFile, crls: [old.file, delta.file, root], options: withDeltas }, revoked);
  await expectUnconcerned(session, subject, [old.file, delta.file, root]);
}

async function verifyReleasedByDelta(session: Session): Promise<void> {
  const { certificateFile, crl, serialNumber } = await enrollSubject(session, 'changing');
  await hold(session, serialNumber);
  const old = await untilListed(session, crl, serialNumber, 'Certificate Hold');
  await release(session, serialNumber);
  const delta = await untilListed(session, deltaUrl(old), serialNumber, 'Remove From CRL');
  expectCompletes(delta, old);
  assert(entryOf(old, serialNumber) !== undefined);
  const root = await rootCrl(session);
  await expectInvalid(session, { certificateFile, crls: [old.file, root], options }, revoked);
  await expectValid(session, { certificateFile, crls: [old.file, delta.file, root], options: withDeltas });
}

const options = ['-extended_crl'];
const withDeltas = ['-extended_crl', '-use_deltas'];

/** A delta of one shard says nothing of certificates that name another one, and nothing against those that name it. */
async function expectUnconcerned(session: Session, { crl }: Subject, crls: readonly string[]): Promise<void> {
  const other = await enrollSubject(session, 'bystander');
  const verification = { certificateFile: other.certificateFile, crls, options: withDeltas };
  if (other.crl === crl) await expectValid(session, verification);
  else await expectInvalid(session, verification, otherScope);
}

/** The CRL of the root, where the issuing CA's certificate says that it is. */
async function rootCrl(session: Session): Promise<string> {
  const { crls } = await readPointers(session.stack.endpoints.chain);
  return (await fetchCrl(session, only(crls, 'CRL'))).file;
}
