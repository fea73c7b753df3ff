// Certification requests, fast enough to make many.

import { generateKeyPairSync } from 'node:crypto';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';

let count = 0;

/** A PKCS#10 with a fresh P-256 key for a DNS name that no other request has. */
export function newRequest(): Uint8Array {
  count += 1;
  return createCertificationRequest({
    subject: [],
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    names: [{ kind: 'dns', value: `host-${process.pid}-${count}.example.com` }],
  });
}
