// Bodies and paths that are no OCSP request, and requests that can only be misunderstood: `malformedRequest`, RFC 6960
// §4.2.1.

import { concat, integer, nullValue, octetString, sequence } from '@gatehouse/pkix/der/writer';
import {
  craftCertId,
  craftOcspRequest,
  hashAlgorithm,
  nonce,
  ocspExtension,
  sha1,
  withTrail,
} from '../crafted-ocsp-request.ts';
import { nested, withIndefiniteLength } from '../crafted-request.ts';
import { toBase64 } from '../curl/enroll.ts';
import { type BrokenStatusInput, crafted, post, type StatusMaterial, type StatusRequest } from './row.ts';

const structure = 'RFC 6960 §4.1.1';
const der = 'X.690 §10';
const extensions = 'RFC 6960 §4.4';
const nonces = 'RFC 9654 §2.1';
const path = 'RFC 6960 appendix A.1';

function malformed(
  name: string,
  section: string,
  request: (material: StatusMaterial) => StatusRequest,
): BrokenStatusInput {
  return { name, section, refusal: { ocsp: 'malformedRequest' }, request };
}

/** An OID that stands for no extension. */
const unknownExtension = '1.3.6.1.5.5.7.48.1.99';

/** The rows. */
export const requests: readonly BrokenStatusInput[] = [
  // Bodies that are no request at all.
  malformed('an empty body', structure, () => post(new Uint8Array(0))),
  malformed('text', structure, () => post(Buffer.from('Is this certificate good?'))),
  malformed('base64 where DER belongs', path, ({ request }) => post(Buffer.from(toBase64(request)))),
  malformed('a certificate in place of the request', structure, ({ certificate }) => post(certificate)),
  malformed('a response in place of the request', structure, ({ response }) => post(response)),
  // DER that is not in order.
  malformed('a request cut off', der, ({ request }) => post(request.subarray(0, -1))),
  malformed('an octet behind the request', der, ({ request }) => post(withTrail(request))),
  malformed('an indefinite length', der, ({ request }) => post(withIndefiniteLength(request))),
  malformed('a length beyond all memory', der, () => post(Buffer.from('3084ffffffff0201', 'hex'))),
  malformed('nesting without end', der, () => post(nested(400))),
  // Requests that are not as RFC 6960 has them.
  malformed(
    'a request for no certificate',
    structure,
    crafted(() => ({ certificateIds: [] })),
  ),
  malformed(
    'a request of version 2',
    structure,
    crafted(() => ({ version: 1 })),
  ),
  malformed(
    'a field behind the last',
    structure,
    crafted(() => ({ behindFields: octetString(Buffer.of(1)) })),
  ),
  malformed(
    'a signature that is none',
    'RFC 6960 §4.1.1',
    crafted(() => ({ signature: sequence(nullValue()) })),
  ),
  malformed('a CertID without a serial number', structure, withCertId({ serialNumber: undefined })),
  malformed('a CertID without a hash of the key', structure, withCertId({ issuerKeyHash: undefined })),
  malformed('a serial number that is text', structure, withCertId({ serialNumber: octetString(Buffer.of(7)) })),
  malformed('a serial number without octets', 'X.690 §8.3.1', withCertId({ serialNumber: Buffer.of(2, 0) })),
  malformed(
    'a serial number that is not the shortest',
    'X.690 §8.3.2',
    withCertId({ serialNumber: Buffer.of(2, 2, 0, 7) }),
  ),
  malformed(
    'a hash algorithm with parameters',
    'RFC 5754 §2',
    withCertId({ hashAlgorithm: hashAlgorithm(sha1, integer(7)) }),
  ),
  malformed(
    'more certificates than are answered at once',
    structure,
    crafted(({ certificateId }) => ({
      certificateIds: Array.from({ length: 17 }, () => certificateId),
    })),
  ),
  // Extensions.
  malformed(
    'a critical extension that nobody knows',
    extensions,
    crafted(() => ({
      extensions: [ocspExtension(unknownExtension, nullValue(), true)],
    })),
  ),
  malformed(
    'a critical extension of one certificate',
    extensions,
    crafted(() => ({
      singleExtensions: [ocspExtension(unknownExtension, nullValue(), true)],
    })),
  ),
  malformed(
    'a nonce that occurs twice',
    'RFC 5280 §4.2',
    crafted(() => ({
      extensions: [nonce(octetString(Buffer.alloc(16, 1))), nonce(octetString(Buffer.alloc(16, 2)))],
    })),
  ),
  malformed(
    'a nonce without octets',
    nonces,
    crafted(() => ({ extensions: [nonce(octetString(new Uint8Array(0)))] })),
  ),
  malformed(
    'a nonce of 129 octets',
    nonces,
    crafted(() => ({ extensions: [nonce(octetString(Buffer.alloc(129, 7)))] })),
  ),
  malformed(
    'a nonce that is no OCTET STRING',
    nonces,
    crafted(() => ({ extensions: [nonce(integer(7))] })),
  ),
  malformed(
    'a nonce with something behind it',
    nonces,
    crafted(() => ({
      extensions: [nonce(concat(octetString(Buffer.alloc(16, 7)), nullValue()))],
    })),
  ),
  // GET.
  malformed('a path that is no base64', path, () => ({ path: '/ocsp/M!!!' })),
  malformed('a path cut off', path, ({ request }) => ({
    path: `/ocsp/${encodeURIComponent(toBase64(request).slice(0, 41))}`,
  })),
  malformed('a path with a percent sign alone', path, ({ request }) => ({
    path: `/ocsp/${toBase64(request).slice(0, 20)}%`,
  })),
  malformed('a path in the alphabet of URLs', 'RFC 4648 §5', ({ certificateId }) => ({
    // Two of these octets are '-' and '_' there, which base64 does not have.
    path: `/ocsp/${Buffer.from(
      craftOcspRequest({
        certificateIds: [certificateId],
        extensions: [ocspExtension(unknownExtension, Buffer.from('fbeffeffbffffbef', 'hex'))],
      }),
    ).toString('base64url')}`,
  })),
];

function withCertId(change: Partial<Record<keyof StatusMaterial['fields'], Uint8Array | undefined>>) {
  return crafted(({ fields }) => ({ certificateIds: [craftCertId({ ...fields, ...change })] }));
}
