// Requests of HTTP that go to the wrong place, are too large, or mean different things to different readers.

import { octetString } from '@gatehouse/pkix/der/writer';
import { attribute } from '../crafted-request.ts';
import { estPath } from '../curl/enroll.ts';
import { type BrokenInput, closed, crafted } from './row.ts';

const routes = 'RFC 7030 §3.2.2';
const framing = 'RFC 9112 §6.3';

/** The rows. */
export const messages: readonly BrokenInput[] = [
  // Where and how it is sent.
  {
    name: 'another media type',
    section: 'RFC 7030 §4.2.1',
    status: 415,
    request: () => ({ contentType: 'application/x-www-form-urlencoded' }),
  },
  { name: 'no media type', section: 'RFC 7030 §4.2.1', status: 415, request: () => ({ contentType: '' }) },
  {
    name: 'GET of simpleenroll',
    section: routes,
    status: 405,
    header: ['allow', /^POST$/],
    request: () => ({ body: undefined }),
  },
  {
    name: 'POST of cacerts',
    section: routes,
    status: 405,
    header: ['allow', /^GET$/],
    request: () => ({ path: estPath('cacerts') }),
  },
  {
    name: 'DELETE of simpleenroll',
    section: routes,
    status: 405,
    header: ['allow', /^POST$/],
    request: () => ({ method: 'DELETE', body: undefined }),
  },
  { name: 'an unknown operation', section: routes, status: 404, request: () => ({ path: estPath('simpleunroll') }) },
  {
    name: 'an unknown label',
    section: routes,
    status: 404,
    request: () => ({ path: estPath('simpleenroll', 'nowhere') }),
  },
  {
    name: 'a label on both sides',
    section: routes,
    status: 404,
    request: () => ({ path: `/tls-client${estPath('simpleenroll', 'tls-client')}` }),
  },
  {
    name: 'a path that climbs',
    section: 'RFC 3986 §5.2.4',
    status: 404,
    request: () => ({ path: estPath('simpleenroll', 'tls-client/..') }),
  },
  {
    name: 'an escaped slash',
    section: 'RFC 3986 §2.2',
    status: 404,
    request: () => ({ path: estPath('simpleenroll', 'tls-client%2f') }),
  },
  {
    name: 'an empty segment',
    section: routes,
    status: 404,
    request: () => ({ path: '/.well-known//est/simpleenroll' }),
  },
  { name: 'another path', section: routes, status: 404, request: () => ({ path: '/', body: undefined }) },
  // What is too large.
  {
    name: 'a request of more than 16 KiB',
    section: 'RFC 9110 §15.5.14',
    status: 413,
    header: closed,
    request: crafted({ attributes: [attribute('1.3.6.1.4.1.5923.1', octetString(Buffer.alloc(17_000)))] }),
  },
  {
    name: 'a body of more than 32 KiB',
    section: 'RFC 9110 §15.5.14',
    status: 413,
    header: closed,
    request: () => ({ body: 'A'.repeat(100_000) }),
  },
  {
    name: 'a chunked body of more than 32 KiB',
    section: 'RFC 9110 §15.5.14',
    status: 413,
    header: closed,
    request: () => ({ body: 'A'.repeat(100_000), headers: ['Transfer-Encoding: chunked'] }),
  },
  {
    name: 'a body that is announced too large, before it comes',
    section: 'RFC 9110 §15.5.14',
    status: 413,
    header: closed,
    octets: ({ head }) => `${head}Content-Length: 1000000\r\n\r\nAAAA`,
  },
  {
    name: 'a header of more than 8 KiB',
    section: 'RFC 9110 §5.4',
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}X-Large: ${'a'.repeat(9000)}\r\n\r\n`,
  },
  // Messages that mean different things to different readers.
  {
    name: 'two lengths',
    section: framing,
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nAAAAA`,
  },
  {
    name: 'a length beside chunks',
    section: framing,
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'a length that is no number',
    section: framing,
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}Content-Length: -4\r\n\r\nAAAA`,
  },
  {
    name: 'a chunk whose size is no number',
    section: 'RFC 9112 §7.1',
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nAAAA\r\n0\r\n\r\n`,
  },
  {
    name: 'a blank before the colon',
    section: 'RFC 9112 §5.1',
    status: 400,
    header: closed,
    octets: ({ head }) => `${head}Content-Length : 4\r\n\r\nAAAA`,
  },
  {
    name: 'no Host',
    section: 'RFC 9112 §3.2',
    status: 400,
    header: closed,
    octets: () => 'GET /.well-known/est/cacerts HTTP/1.1\r\nConnection: close\r\n\r\n',
  },
  {
    name: 'what is not HTTP',
    section: 'RFC 9112 §2.2',
    status: 400,
    header: closed,
    octets: () => 'HELO est.example.com\r\n\r\n',
  },
  {
    name: 'HTTP/2 without a handshake for it',
    section: 'RFC 9112 §2.2',
    status: 400,
    header: closed,
    octets: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  },
];
