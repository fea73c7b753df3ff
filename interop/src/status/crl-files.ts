// CRLs in files, fetched by curl from where a certificate or another CRL says that they are.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { output, runCommand } from '../command.ts';
import { callCurl, describeAnswer } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { type CrlContents, parseCrlText } from './crl-output.ts';

/** A CRL as it was at one time. */
export type CrlFile = {
  readonly url: string;
  /** DER. */
  readonly file: string;
  readonly contents: CrlContents;
};

/** Fetches the CRL at `url`, RFC 5280 §4.2.1.13. @throws when it is not there, or cannot be read */
export async function fetchCrl(session: Session, url: string): Promise<CrlFile> {
  const answer = await callCurl(session, url);
  assert.equal(answer.status, 200, describeAnswer(answer));
  // RFC 2585 §4.2.
  assert.equal(answer.headers.get('content-type'), 'application/pkix-crl');
  const file = session.write(`${randomUUID()}.crl`, answer.body);
  return { url, file, contents: await readCrl(file) };
}

/** Reads a CRL in a file, DER. @throws {CommandError} when openssl cannot, {CrlOutputError} */
export async function readCrl(file: string): Promise<CrlContents> {
  const text = await output('openssl', ['crl', '-inform', 'DER', '-in', file, '-noout', '-text']);
  return parseCrlText(text.toString('latin1'));
}

/** URL of the CRL of a scope: `issuing-ca`. */
export function crlUrl({ stack }: Session, scope: string): string {
  return `${stack.endpoints.status.crl}/${scope}.crl`;
}

/** Verifies a CRL with the certificate of its issuer. @throws when openssl does not say OK */
export async function verifyCrl({ file }: CrlFile, issuerFile: string): Promise<void> {
  const parameters = ['crl', '-verify', '-inform', 'DER', '-in', file, '-CAfile', issuerFile, '-noout'];
  const { stderr } = await runCommand('openssl', parameters);
  assert.match(stderr, /^verify OK$/m);
}
