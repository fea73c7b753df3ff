// The certificate of the responder, RFC 6960 §4.2.2.2, as openssl finds it in a response.

import assert from 'node:assert/strict';
import { output } from '../command.ts';
import { splitPem } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { askByPost } from '../status/openssl-ocsp.ts';
import { enrollSubject } from '../status/subject.ts';

/** @throws when the responder may do more or less than sign responses, or when its own status would have to be asked */
export async function checkResponder(session: Session): Promise<void> {
  const { certificateFile, ocsp } = await enrollSubject(session, 'good');
  const question = { certificates: [certificateFile], options: ['-no_nonce', '-resp_text'] };
  const [responder, ...others] = splitPem((await askByPost(session, ocsp, question)).said);
  assert(
    responder !== undefined && others.length === 0,
    'the response must carry the certificate of its responder alone',
  );
  const file = session.write('responder.pem', responder);
  const { trustAnchor, chain } = session.stack.endpoints;
  const trust = ['-CAfile', trustAnchor, '-untrusted', chain, '-x509_strict'];
  await output('openssl', ['verify', ...trust, '-purpose', 'ocsphelper', file]);
  const shown = (await output('openssl', ['x509', '-in', file, '-noout', '-text'])).toString('latin1');
  assert.match(shown, /X509v3 Extended Key Usage: *(critical)? *\n\s+OCSP Signing\n/);
  assert.match(shown, /X509v3 Key Usage: critical\n\s+Digital Signature\n/);
  // RFC 6960 §4.2.2.2.1: it lives for a short time and needs no status of its own.
  assert.match(shown, /OCSP No Check:/);
  assert.doesNotMatch(shown, /Authority Information Access|CRL Distribution Points/);
}
