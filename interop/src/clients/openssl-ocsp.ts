// Debian's `openssl ocsp`: what administrators, monitoring and scripts ask a responder with, and what stapling scripts feed
// to web servers. It asks by POST; what it would ask by GET curl carries for it.

import assert from 'node:assert/strict';
import type { Client, Operation } from '../client.ts';
import { changes } from '../openssl/ocsp-changes.ts';
import { expectByGet } from '../openssl/ocsp-get.ts';
import { checkResponder } from '../openssl/ocsp-responder.ts';
import type { Session } from '../session.ts';
import { expectCurrent } from '../status/expect-ocsp.ts';
import { askByPost, expectResponderError, type OcspQuestion } from '../status/openssl-ocsp.ts';
import { readPointers } from '../status/pointers.ts';
import { enrollSubject } from '../status/subject.ts';
import { opensslVersion } from './openssl.ts';

const post = 'RFC 6960 appendix A.1';
const identifiers = 'RFC 6960 §4.1.1';
const nonces = 'RFC 9654 §2.1';
const statuses = 'RFC 6960 §2.2';

/** openssl ocsp. */
export const opensslOcspClient: Client = {
  name: 'openssl ocsp',
  gate: 'status',
  version: opensslVersion,
  operations: [
    good('POST: good, CertID over SHA-1', post, { options: ['-no_nonce'] }),
    good('POST: good, CertID over SHA-256', identifiers, { hash: 'sha256', options: ['-no_nonce'] }),
    good('POST: good, with a limit to its age', 'RFC 6960 §4.2.2.1', {
      options: ['-no_nonce', '-validity_period', '2', '-status_age', '86400'],
    }),
    { name: 'POST: a nonce is ignored where responses are signed ahead', section: nonces, run: askWithIgnoredNonce },
    { name: 'POST: a nonce comes back', section: nonces, stack: 'approving', run: askWithNonce },
    { name: 'POST: a nonce with several certificates', section: nonces, stack: 'approving', run: askSeveralWithNonce },
    { name: 'POST: several certificates in one request', section: 'RFC 6960 §4.1.1', run: askSeveral },
    { name: 'POST: a signed request', section: 'RFC 6960 §4.1.2', run: askSigned },
    { name: 'unknown: a serial number that was never issued', section: statuses, run: askNeverIssued },
    {
      name: 'revoked: a serial number that was never issued, extended',
      section: statuses,
      stack: 'approving',
      run: askNeverIssuedExtended,
    },
    { name: 'unauthorized: an issuer of whom the gate knows nothing', section: 'RFC 6960 §2.3', run: askForeignIssuer },
    ...(['sha1', 'sha256'] as const).flatMap((hash) => expectByGet(hash)),
    { name: 'the responder is delegated by the issuing CA', section: 'RFC 6960 §4.2.2.2', run: checkResponder },
    ...changes,
  ],
};

function good(name: string, section: string, question: OcspQuestion): Operation {
  return {
    name,
    section,
    run: async (session) => {
      const { certificateFile, ocsp } = await enrollSubject(session, 'good');
      const { statuses: seen } = await askByPost(session, ocsp, { ...question, certificates: [certificateFile] });
      assert.equal(expectCurrent(seen).status, 'good');
    },
  };
}

// It asks with a nonce unless told otherwise, and says when none comes back.
const missingNonce = /^WARNING: no nonce in response$/m;

async function askWithIgnoredNonce(session: Session): Promise<void> {
  const { certificateFile, ocsp } = await enrollSubject(session, 'nonce');
  const { statuses: seen, said } = await askByPost(session, ocsp, { certificates: [certificateFile] });
  assert.equal(expectCurrent(seen).status, 'good');
  assert.match(said, missingNonce);
}

async function askWithNonce(session: Session): Promise<void> {
  const { certificateFile, ocsp } = await enrollSubject(session, 'nonce');
  for (const hash of [undefined, 'sha256'] as const) {
    const question = { certificates: [certificateFile], hash, options: ['-nonce', '-resp_text'] };
    const { statuses: seen, said } = await askByPost(session, ocsp, question);
    assert.equal(expectCurrent(seen).status, 'good');
    assert.doesNotMatch(said, missingNonce);
    assert.match(said, /OCSP Nonce:/);
  }
}

async function askSeveralWithNonce(session: Session): Promise<void> {
  const one = await enrollSubject(session, 'one');
  const other = await enrollSubject(session, 'other');
  const certificates = [one.certificateFile, other.certificateFile];
  const { statuses: seen, said } = await askByPost(session, one.ocsp, { certificates, options: ['-nonce'] });
  assert.deepEqual(
    seen.map(({ status }) => status),
    ['good', 'good'],
  );
  assert.doesNotMatch(said, missingNonce);
}

async function askSeveral(session: Session): Promise<void> {
  const one = await enrollSubject(session, 'one');
  const other = await enrollSubject(session, 'other');
  const { statuses: seen } = await askByPost(session, one.ocsp, {
    certificates: [one.certificateFile, other.certificateFile],
    serialNumbers: [neverIssued],
    options: ['-no_nonce'],
  });
  assert.deepEqual(
    seen.map(({ subject, status }) => [subject, status]),
    [
      [one.certificateFile, 'good'],
      [other.certificateFile, 'good'],
      [neverIssued, 'unknown'],
    ],
  );
}

async function askSigned(session: Session): Promise<void> {
  const { certificateFile, keyFile, ocsp } = await enrollSubject(session, 'signer');
  const options = ['-no_nonce', '-signer', certificateFile, '-signkey', keyFile];
  const { statuses: seen } = await askByPost(session, ocsp, { certificates: [certificateFile], options });
  assert.equal(expectCurrent(seen).status, 'good');
}

/** Serial numbers of the keep are longer. */
const neverIssued = '0x4711';

async function askNeverIssued(session: Session): Promise<void> {
  const question = { serialNumbers: [neverIssued], options: ['-no_nonce'] };
  const { statuses: seen } = await askByPost(session, session.stack.endpoints.status.ocsp, question);
  assert.equal(expectCurrent(seen).status, 'unknown');
}

async function askNeverIssuedExtended(session: Session): Promise<void> {
  const question = { serialNumbers: [neverIssued], options: ['-no_nonce', '-resp_text'] };
  const { statuses: seen, said } = await askByPost(session, session.stack.endpoints.status.ocsp, question);
  const { status, reason, revokedAt } = expectCurrent(seen);
  assert.deepEqual([status, reason, revokedAt], ['revoked', 'certificateHold', new Date(0)]);
  // RFC 6960 §4.4.8: the extension says that this is so; openssl calls its OID 'valid'.
  assert.match(said, /^ +Response Extensions:\n +(valid|1\.3\.6\.1\.5\.5\.7\.48\.1\.9): *$/m);
}

async function askForeignIssuer(session: Session): Promise<void> {
  // The issuing CA's own certificate: its issuer has CRLs alone, and the certificate names no responder.
  const { chain, trustAnchor, status } = session.stack.endpoints;
  assert.deepEqual((await readPointers(chain)).ocsp, []);
  const question = { certificates: [chain], issuer: trustAnchor, options: ['-no_nonce'] };
  await expectResponderError(session, status.ocsp, question, 'unauthorized');
}
