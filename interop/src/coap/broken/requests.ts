// Requests that are messages in form, and that no resource should see as they are, RFC 7252 §5 and RFC 9148 §4.

import { optionNumbers, pathOptions } from '../datagram.ts';
import { estPath, formats } from '../est.ts';
import { type BrokenMessage, get, message, once, post } from './row.ts';

const { accept, contentFormat, uriPath } = optionNumbers;

/** Rows of this room. */
export const requests: readonly BrokenMessage[] = [
  {
    name: 'an unknown critical option',
    section: 'RFC 7252 §5.4.1',
    steps: once(() => get(estPath('crts'), [[2049, Buffer.of(1)]]), '4.02'),
  },
  {
    name: 'an unknown elective option, which does not matter',
    section: 'RFC 7252 §5.4.1',
    steps: once(() => get(estPath('att'), [[2050, Buffer.of(1)]]), '2.05'),
  },
  {
    name: 'Observe, which does not matter',
    section: 'RFC 7641 §4.1',
    steps: once(() => get(estPath('att'), [[6, 0]]), '2.05'),
  },
  {
    name: 'Accept that is there twice',
    section: 'RFC 7252 §5.4.5',
    steps: once(
      () =>
        get(estPath('crts'), [
          [accept, formats.certsOnly],
          [accept, formats.certsOnly],
        ]),
      '4.02',
    ),
  },
  {
    name: 'Accept of five octets',
    section: 'RFC 7252 §5.4.3',
    steps: once(() => get(estPath('crts'), [[accept, Buffer.alloc(5, 1)]]), '4.02'),
  },
  {
    name: 'a segment of a path of 256 octets',
    section: 'RFC 7252 §5.4.3',
    steps: once(() => message({ code: '0.01', options: [[uriPath, 'a'.repeat(256)]] }), '4.02'),
  },
  {
    name: 'Proxy-Uri',
    section: 'RFC 7252 §5.7.2',
    steps: once(() => message({ code: '0.01', options: [[optionNumbers.proxyUri, 'coap://example.com/']] }), '5.05'),
  },
  {
    name: 'a method that there is not',
    section: 'RFC 7252 §5.8',
    steps: once(() => message({ code: '0.20', options: pathOptions(estPath('crts')) }), '4.05'),
  },
  { name: 'no path', section: 'RFC 9148 §4.1', steps: once(() => message({ code: '0.01' }), '4.04') },
  {
    name: 'an enrollment without a body',
    section: 'RFC 9148 §4.5',
    steps: once(
      () => message({ code: '0.02', options: [...pathOptions(estPath('sen')), [contentFormat, formats.pkcs10]] }),
      '4.00',
    ),
  },
  {
    name: 'a request whose signature is wrong',
    section: 'RFC 2986 §4.2',
    steps: (request) => {
      const forged = Buffer.from(request);
      forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
      return [[post(forged), '4.00']];
    },
  },
  {
    name: 'a request in base64, as over HTTPS',
    section: 'RFC 9148 §4.3',
    steps: (request) => [[post(Buffer.from(request.toString('base64'))), '4.00']],
  },
];
