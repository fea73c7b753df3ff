import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { certificationRequestLabels, decodeBody, encodeBody, TransferEncodingError } from '../src/transfer-encoding.ts';
import { plainRequest } from './fixtures/openssl.ts';
import { assertOnlyThrows, foreignBytes, octets } from './support/foreign-bytes.ts';

const der = Buffer.from(octets(plainRequest, 'base64'));
const options = { pemLabels: certificationRequestLabels, maximumDer: 16384 };
const decode = (body: string | Uint8Array) =>
  Buffer.from(decodeBody(typeof body === 'string' ? Buffer.from(body, 'latin1') : body, options));
const refuses = (body: string | Uint8Array, code: string, detail: RegExp) =>
  assert.throws(
    () => decode(body),
    (error) => error instanceof TransferEncodingError && error.code === code && detail.test(error.detail),
  );
const armour = (label: string, end = '\n') =>
  [`-----BEGIN ${label}-----`, ...(plainRequest.match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join(end);

describe('RFC 8951 §2.1 and what clients send: bodies', () => {
  it('may be base64 in one line or in lines of any length', () => {
    assert.deepEqual(decode(plainRequest), der);
    for (const width of [1, 4, 64, 76]) {
      for (const end of ['\n', '\r\n', '\r', ' '])
        assert.deepEqual(decode(`${end}${plainRequest.replace(new RegExp(`.{${width}}`, 'g'), `$&${end}`)}`), der);
    }
  });
  it('may be PEM with either label, and any line ends', () => {
    for (const label of certificationRequestLabels)
      for (const end of ['\n', '\r\n']) assert.deepEqual(decode(armour(label, end)), der);
    assert.deepEqual(decode(`Certificate Request:\n    Data: x\n${armour('CERTIFICATE REQUEST')}`), der);
  });
  it('may be raw DER', () => assert.deepEqual(decode(der), der));
  it('are written as one line without white space', () => {
    assert.equal(encodeBody(der), plainRequest);
    assert.deepEqual(decode(encodeBody(der)), der);
  });
  it('are refused when they are something else', () => {
    refuses('', 'malformed', /empty/);
    refuses('   ', 'malformed', /neither/);
    refuses('hello, world', 'malformed', /neither/);
    refuses('aGVsbG8=', 'malformed', /not DER/);
    refuses(plainRequest.slice(0, -1), 'malformed', /neither/);
    refuses(armour('CERTIFICATE'), 'malformed', /label 'CERTIFICATE'/);
    refuses(armour('CERTIFICATE REQUEST').slice(0, -10), 'malformed', /missing/);
    refuses(armour('CERTIFICATE REQUEST') + armour('CERTIFICATE REQUEST'), 'malformed', /more than one/);
  });
  it('are refused as too large by the octets of their DER, however they are encoded', () => {
    const big = Buffer.alloc(16385, 0x30);
    refuses(big, 'too-large', /16384 octets/);
    refuses(big.toString('base64'), 'too-large', /16384 octets/);
    refuses(Buffer.alloc(60_000, 0x0a), 'too-large', /16384 octets/);
    const largest = Buffer.alloc(16384, 0x30);
    assert.deepEqual(decode(largest.toString('base64')), largest);
    assert.deepEqual(decode(largest.toString('base64').replace(/.{76}/g, '$&\r\n')), largest);
  });
  it('throw nothing but TransferEncodingError, whatever they are', () => {
    assertOnlyThrows(decode, [TransferEncodingError], foreignBytes(der));
    const piece = fc.constantFrom(
      '-----BEGIN ',
      'CERTIFICATE REQUEST',
      '-----',
      '-----END ',
      '\n',
      'MIIB',
      '=',
      ' ',
      '\0',
      'x',
    );
    assertOnlyThrows(
      decode,
      [TransferEncodingError],
      fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(pieces.join(''))),
    );
  });
});
