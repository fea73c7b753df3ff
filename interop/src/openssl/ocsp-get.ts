// Requests that openssl writes and curl carries by GET, in each form in which clients put base64 into a URL.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Operation } from '../client.ts';
import { toBase64 } from '../curl/enroll.ts';
import { callCurl, describeAnswer } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { expectCurrent } from '../status/expect-ocsp.ts';
import { judgeResponse, type OcspQuestion, writeRequest } from '../status/openssl-ocsp.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';

/** RFC 6960 appendix A.1: url-encoding of base64 of the request; not all clients escape, and a slash may be doubled. */
const forms = {
  escaped: (ocsp: string, base64: string) => `${ocsp}/${encodeURIComponent(base64)}`,
  'not escaped': (ocsp: string, base64: string) => `${ocsp}/${base64}`,
} as const;

/** GET with a CertID over `hash`, in each form. */
export function expectByGet(hash: 'sha1' | 'sha256'): readonly Operation[] {
  return Object.entries(forms).map(([form, urlOf]) => ({
    name: `GET by curl: good, CertID over ${hash === 'sha1' ? 'SHA-1' : 'SHA-256'}, ${form}`,
    section: 'RFC 6960 appendix A.1',
    run: async (session) => {
      const subject = await enrollSubject(session, 'good');
      const question = { hash: hash === 'sha1' ? undefined : hash, certificates: [subject.certificateFile] };
      await getStatus(session, subject, question, urlOf);
    },
  }));
}

async function getStatus(
  session: Session,
  { ocsp }: Subject,
  asked: OcspQuestion,
  urlOf: (ocsp: string, base64: string) => string,
): Promise<void> {
  const question = { ...asked, options: ['-no_nonce'] };
  const file = session.file('request.der');
  await writeRequest(session, file, question);
  const answer = await callCurl(session, urlOf(ocsp, toBase64(readFileSync(file))));
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), 'application/ocsp-response');
  const response = session.write('response.der', answer.body);
  const { statuses } = await judgeResponse(session, response, question);
  assert.equal(expectCurrent(statuses).status, 'good');
}
