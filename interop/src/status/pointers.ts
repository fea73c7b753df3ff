// Where a certificate itself sends those who want to know its status, RFC 5280 §4.2.2.1 and §4.2.1.13, as openssl shows it:
// nothing else may tell a client where to ask.

import { output } from '../command.ts';

/** URLs in a certificate, in its order. */
export type StatusPointers = {
  /** id-ad-ocsp. */
  readonly ocsp: readonly string[];
  /** id-ad-caIssuers. */
  readonly issuers: readonly string[];
  /** Distribution points of CRLs. */
  readonly crls: readonly string[];
};

/** Reads them from a certificate in a file, PEM. @throws {CommandError} when openssl cannot read it */
export async function readPointers(file: string): Promise<StatusPointers> {
  const shown = ['x509', '-in', file, '-noout', '-ext', 'authorityInfoAccess,crlDistributionPoints'];
  return parsePointers((await output('openssl', shown)).toString('latin1'));
}

/** Reads what `openssl x509 -ext` prints of both extensions; of what is not there it prints nothing. */
export function parsePointers(text: string): StatusPointers {
  const urls = (form: RegExp) => [...text.matchAll(form)].map(([, url = '']) => url);
  return {
    ocsp: urls(/^\s+OCSP - URI:(\S+)$/gm),
    issuers: urls(/^\s+CA Issuers - URI:(\S+)$/gm),
    crls: urls(/^\s+URI:(\S+)$/gm),
  };
}
