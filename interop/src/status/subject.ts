// The certificates whose status is asked for: each operation enrolls its own, so that none sees what another one changes.

import assert from 'node:assert/strict';
import type { RequestOptions } from '../certification-requests.ts';
import { type Enrolled, enrollNew } from '../curl/enroll.ts';
import type { Session } from '../session.ts';
import { readPointers } from './pointers.ts';

/** A certificate, its issuer, and where its status is. */
export type Subject = Enrolled & {
  /** Hexadecimal, upper case, as openssl writes it. */
  readonly serialNumber: string;
  /** The issuing CA, PEM. */
  readonly issuerFile: string;
  /** URL of the responder, RFC 5280 §4.2.2.1. */
  readonly ocsp: string;
  /** URL of the issuer's certificate, RFC 5280 §4.2.2.1. */
  readonly issuer: string;
  /** URL of the CRL, RFC 5280 §4.2.1.13. */
  readonly crl: string;
};

/** Enrolls a certificate for `name`.example.com by curl. @throws when it does not name one place for each kind of status */
export async function enrollSubject(
  session: Session,
  name: string,
  options: Partial<RequestOptions> = {},
): Promise<Subject> {
  const host = `${name}.example.com`;
  const wanted = { subject: [`CN=${host}`], names: [`DNS:${host}`], ...options };
  const enrolled = await enrollNew(session, name, 'tls-server', wanted);
  const { ocsp, issuers, crls } = await readPointers(enrolled.certificateFile);
  return {
    ...enrolled,
    serialNumber: enrolled.certificate.serialNumber,
    issuerFile: session.stack.endpoints.chain,
    ocsp: only(ocsp, 'OCSP responder'),
    issuer: only(issuers, 'certificate of the issuer'),
    crl: only(crls, 'CRL'),
  };
}

/** The one URL that there must be. @throws when there is none, or another one */
export function only(urls: readonly string[], what: string): string {
  const [url, ...others] = urls;
  assert(url !== undefined && others.length === 0, `one ${what} must be named, not ${urls.length}`);
  // RFC 5280 §8: who needs the PKI to check the PKI goes round in circles.
  assert.match(url, /^http:\/\//, `the ${what} must be reached without TLS`);
  return url;
}
