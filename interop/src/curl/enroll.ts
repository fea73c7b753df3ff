// Enrollment as several clients need it before they can do what they are there for: a certificate by curl, and the checks
// that every answer of EST with a certificate must pass, RFC 7030 §4.2.3.

import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { makeRequest, type RequestFiles, type RequestOptions } from '../certification-requests.ts';
import type { HttpAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';
import { type ClientCertificate, type CurlRequest, curl, describeAnswer, readCertificatesOnly } from './request.ts';

/** Base64 as RFC 8951 §3.1 has it: one line. */
export function toBase64(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
}

/** What a label path and a request give. */
export type Enrolled = ClientCertificate & { readonly certificate: X509Certificate; readonly request: RequestFiles };

/** Path of an operation; without a label it is that of the default one. RFC 7030 §3.2.2. */
export function estPath(operation: string, label?: string): string {
  return label === undefined ? `/.well-known/est/${operation}` : `/.well-known/est/${label}/${operation}`;
}

/** Sends a request by curl with what `changes` says otherwise, and checks what comes back. */
export async function enrollByCurl(
  session: Session,
  request: RequestFiles,
  changes: Partial<CurlRequest> = {},
): Promise<X509Certificate> {
  const answer = await curl(session, {
    path: estPath('simpleenroll'),
    body: toBase64(request.der),
    account: session.stack.demoUser,
    ...changes,
  });
  return await expectIssued(session, answer, request.publicKey);
}

/** Makes a key and a request, and enrols by curl with the demo user under `label`. */
export async function enrollNew(
  session: Session,
  name: string,
  label: string | undefined,
  options: RequestOptions,
): Promise<Enrolled> {
  const request = await makeRequest(session, name, options);
  const certificate = await enrollByCurl(session, request, { path: estPath('simpleenroll', label) });
  const certificateFile = session.write(`${name}.pem`, certificate.toString());
  return { certificate, request, certificateFile, keyFile: request.keyFile };
}

/**
 * Checks an answer that issues: status, type, one certificate alone, and what the judge says of it.
 *
 * @param publicKey of the request, PEM
 */
export async function expectIssued(session: Session, answer: HttpAnswer, publicKey: string): Promise<X509Certificate> {
  assert.equal(answer.status, 200, `the answer must be 200, not ${describeAnswer(answer)}`);
  assert.equal(answer.headers.get('content-type'), 'application/pkcs7-mime; smime-type=certs-only');
  expectPlainBody(answer);
  const [certificate, ...others] = await readCertificatesOnly(answer.body);
  assert(certificate !== undefined && others.length === 0, 'the answer must hold the issued certificate alone');
  await session.certificates.accept(certificate, publicKey);
  return certificate;
}

/**
 * RFC 8951 §3.1, and what the smallest clients can read: base64 in one line, its length told, the header in less than
 * 1,024 octets.
 */
export function expectPlainBody({ headers, headerOctets, body }: HttpAnswer): void {
  assert.equal(headers.get('content-length'), String(body.length));
  assert.equal(headers.get('transfer-encoding'), undefined);
  assert.equal(headers.get('content-transfer-encoding'), undefined);
  assert.match(body.toString('latin1'), /^[A-Za-z0-9+/]+={0,2}$/);
  assert(headerOctets < 1024, `the header must be shorter than 1,024 octets, not ${headerOctets}`);
}
