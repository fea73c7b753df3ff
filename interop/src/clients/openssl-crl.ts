// Debian's `openssl crl` and `openssl verify`: what reads CRLs wherever OpenSSL validates, as in web servers, VPNs and mail.

import type { Client } from '../client.ts';
import { crlForms } from '../openssl/crl-forms.ts';
import { crlVerification } from '../openssl/crl-verification.ts';
import { shortLived } from '../openssl/short-lived.ts';
import { opensslVersion } from './openssl.ts';

/** openssl crl and openssl verify. */
export const opensslCrlClient: Client = {
  name: 'openssl crl and verify',
  gate: 'status',
  version: opensslVersion,
  operations: [...crlForms, ...crlVerification, shortLived],
};
