// Bodies that are no certification request: neither in encoding nor in DER.

import { nested, withIndefiniteLength } from '../crafted-request.ts';
import { toBase64 } from '../curl/enroll.ts';
import { type BrokenInput, body } from './row.ts';

const encoding = 'RFC 8951 §3.1';
const structure = 'RFC 2986 §4';
const der = 'X.690 §10';

/** The rows. */
export const bodies: readonly BrokenInput[] = [
  // Bodies that are no request at all.
  { name: 'an empty body', section: encoding, status: 400, request: () => ({ body: '' }) },
  { name: 'a body that is not base64', section: encoding, status: 400, request: () => ({ body: '%%% no base64 %%%' }) },
  { name: 'base64 of text', section: encoding, status: 400, request: () => ({ body: 'SGVsbG8sIHdvcmxkIQ==' }) },
  {
    name: 'base64 cut off',
    section: encoding,
    status: 400,
    request: ({ valid }) => ({ body: toBase64(valid).slice(0, 101) }),
  },
  {
    name: 'PEM of a certificate',
    section: encoding,
    status: 400,
    request: ({ certificatePem }) => ({ body: certificatePem }),
  },
  {
    name: 'PEM without its end',
    section: encoding,
    status: 400,
    request: ({ validPem }) => ({ body: validPem.slice(0, -40) }),
  },
  {
    name: 'two requests in PEM',
    section: encoding,
    status: 400,
    request: ({ validPem }) => ({ body: validPem + validPem }),
  },
  { name: 'a form', section: encoding, status: 400, request: () => ({ body: 'csr=MIIB' }) },
  // DER that is not in order.
  {
    name: 'an octet behind the request',
    section: der,
    status: 400,
    request: ({ valid }) => body(Buffer.concat([valid, Buffer.of(0)])),
  },
  { name: 'a request cut off', section: der, status: 400, request: ({ valid }) => ({ body: valid.subarray(0, -1) }) },
  {
    name: 'an indefinite length',
    section: der,
    status: 400,
    request: ({ valid }) => body(withIndefiniteLength(valid)),
  },
  {
    name: 'a length beyond all memory',
    section: der,
    status: 400,
    request: () => body(Buffer.from('3084ffffffff0201', 'hex')),
  },
  { name: 'nesting without end', section: der, status: 400, request: () => body(nested(2000)) },
  {
    name: 'a certificate in place of the request',
    section: structure,
    status: 400,
    request: ({ certificate }) => body(certificate),
  },
];
