// What is wrong before anybody looks for a status: HTTP itself, RFC 9110 and RFC 9112.

import { type BrokenStatusInput, post, type Refusal, type StatusMaterial, type StatusRequest } from './row.ts';

const methods = 'RFC 9110 §15.5.6';
const paths = 'RFC 9110 §15.5.5';
const framing = 'RFC 9112 §6';

function refuses(
  name: string,
  section: string,
  refusal: Refusal,
  request: (material: StatusMaterial) => StatusRequest,
): BrokenStatusInput {
  return { name, section, refusal, request };
}

/** RFC 9110 §10.2.1: what the resource does take. */
const getOnly = ['allow', /^GET, HEAD$/] as const;
const postOnly = ['allow', /^POST$/] as const;

const notThere = (name: string, path: string) => refuses(name, paths, { status: 404 }, () => ({ path }));

/** Octets of a request of their own. */
function raw(
  name: string,
  section: string,
  status: number,
  octets: (material: StatusMaterial) => string | Uint8Array,
): BrokenStatusInput {
  return { name, section, refusal: { status }, octets };
}

/** A request with these fields after the first line, and whatever follows the empty line. */
function message(line: string, fields: readonly string[], rest = ''): string {
  return `${[line, ...fields, '', rest].join('\r\n')}`;
}

const postLine = 'POST /ocsp HTTP/1.1';
const type = 'Content-Type: application/ocsp-request';

/** The rows. */
export const messages: readonly BrokenStatusInput[] = [
  // Methods.
  refuses('PUT of a request', methods, { status: 405, header: postOnly }, ({ request }) => ({
    ...post(request),
    method: 'PUT',
  })),
  refuses('DELETE of the responder', methods, { status: 405, header: postOnly }, () => ({
    method: 'DELETE',
    path: '/ocsp',
  })),
  refuses('POST to a CRL', methods, { status: 405, header: getOnly }, ({ request }) => ({
    ...post(request),
    path: '/crl/issuing.crl',
  })),
  refuses('PUT of a CRL', methods, { status: 405, header: getOnly }, () => ({
    body: 'x',
    method: 'PUT',
    path: '/crl/issuing.crl',
  })),
  refuses('DELETE of the chain', methods, { status: 405, header: getOnly }, () => ({
    method: 'DELETE',
    path: '/chain.pem',
  })),
  // Bodies.
  refuses('a body of another type', 'RFC 9110 §15.5.16', { status: 415 }, ({ request }) => ({
    body: request,
    contentType: 'application/json',
  })),
  refuses('a form', 'RFC 9110 §15.5.16', { status: 415 }, () => ({
    body: 'a=b',
    contentType: 'application/x-www-form-urlencoded',
  })),
  refuses('a request that is too large', 'RFC 9110 §15.5.14', { status: 413 }, () => post(Buffer.alloc(100_000, 0x30))),
  refuses('a request that is too large, in chunks', 'RFC 9110 §15.5.14', { status: 413 }, () => ({
    ...post(Buffer.alloc(100_000, 0x30)),
    headers: ['Transfer-Encoding: chunked'],
  })),
  // Paths.
  notThere('a path that is none', '/status'),
  notThere('a CRL that is none', '/crl/another.crl'),
  notThere('a shard that is none', '/crl/issuing-4097.crl'),
  notThere('a delta that is none', '/crl/another-delta.crl'),
  notThere('a list of the CRLs', '/crl/'),
  notThere('a CRL under another ending', '/crl/issuing.pem'),
  notThere('a path that climbs', '/crl/../../gatehouse.yaml'),
  notThere('a path that climbs, escaped', '/crl/%2e%2e%2f%2e%2e%2fgatehouse.yaml'),
  notThere('a path with an octet zero', '/crl/issuing%00.crl'),
  notThere('an issuer that is none', '/issuer/0000000000000000000000000000000000000000.crt'),
  notThere('the key of the issuer', '/issuer/issuing.key'),
  // Conditions.
  refuses('a condition that is not met', 'RFC 9110 §13.1.1', { status: 412 }, () => ({
    path: '/crl/issuing-ca.crl',
    headers: ['If-Match: "another"'],
  })),
  // Messages.
  raw('no Host', 'RFC 9112 §3.2', 400, () => message('GET /chain.pem HTTP/1.1', ['Connection: close'])),
  raw('Host twice', 'RFC 9112 §3.2', 400, () => message('GET /chain.pem HTTP/1.1', ['Host: a', 'Host: b'])),
  raw('another protocol', 'RFC 9112 §2.2', 400, () => 'EHLO client.example.com\r\n\r\n'),
  raw('HTTP/2 without being asked', 'RFC 9113 §3.4', 400, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  raw('TLS', 'RFC 9112 §2.2', 400, () =>
    Buffer.from(
      '16030100310100002d0303000000000000000000000000000000000000000000000000000000000000000000000213010100000200',
      'hex',
    ),
  ),
  raw('a field with a space before its colon', 'RFC 9112 §5.1', 400, ({ authority }) =>
    message('GET /chain.pem HTTP/1.1', [`Host: ${authority}`, 'Accept : */*']),
  ),
  raw('a length that is none', framing, 400, ({ authority }) =>
    message(postLine, [`Host: ${authority}`, type, 'Content-Length: -1']),
  ),
  raw('two lengths', framing, 400, ({ authority }) =>
    message(postLine, [`Host: ${authority}`, type, 'Content-Length: 1', 'Content-Length: 2'], 'xy'),
  ),
  raw('a length and chunks at once', framing, 400, ({ authority }) =>
    message(postLine, [`Host: ${authority}`, type, 'Content-Length: 3', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ),
  raw('a chunk whose size is none', 'RFC 9112 §7.1', 400, ({ authority }) =>
    message(postLine, [`Host: ${authority}`, type, 'Transfer-Encoding: chunked'], 'xyz\r\n'),
  ),
  raw('a header without end', 'RFC 9110 §5.4', 400, ({ authority }) =>
    message('GET /chain.pem HTTP/1.1', [`Host: ${authority}`, `Cookie: ${'x'.repeat(100_000)}`]),
  ),
  raw('a target without end', 'RFC 9112 §3', 400, ({ authority }) =>
    message(`GET /ocsp/${'M'.repeat(100_000)} HTTP/1.1`, [`Host: ${authority}`]),
  ),
];
