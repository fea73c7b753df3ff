import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readLinks } from '../../src/coap/discovery.ts';
import { readAnswer } from '../../src/coap/go-coap.ts';
import { readMessages } from '../../src/coap/libcoap.ts';
import { readMultipart } from '../../src/coap/multipart.ts';

describe('what coap-client says of its messages', () => {
  it('has a code, a content format and Max-Age, and none of its own requests', () => {
    const said = [
      'v:1 t:CON c:POST i:edb8 {01} [ Uri-Port:17684, Uri-Path:est, Content-Format:286, Block1:0/M/64 ] :: binary data length 64',
      '<<f90016fd>>',
      'Nov 21 19:00:23.105 INFO CN localhost presented by server (CA)',
      'v:1 t:ACK c:2.31 i:edb8 {01} [ Block1:0/M/64 ]',
      'v:1 t:ACK c:0.00 i:edb9 {} [ ]',
      'v:1 t:CON c:2.04 i:0001 {02} [ ETag:0x03, Content-Format:281, Block2:0/M/64, Size2:300 ] :: binary data length 64',
      'v:1 t:ACK c:5.03 i:edba {02} [ Max-Age:30 ] :: the request waits',
      'v:1 t:ACK c:2.05 i:edbb {02} [ Content-Format:application/link-format ]',
    ].join('\n');
    assert.deepEqual(readMessages(said), [
      { code: '2.31', contentFormat: undefined, maxAge: undefined, atLeast: 0 },
      { code: '0.00', contentFormat: undefined, maxAge: undefined, atLeast: 0 },
      { code: '2.04', contentFormat: 281, maxAge: undefined, atLeast: 300 },
      { code: '5.03', contentFormat: undefined, maxAge: 30, atLeast: 1 },
      { code: '2.05', contentFormat: 40, maxAge: undefined, atLeast: 0 },
    ]);
  });
});

describe('what the client of go-coap prints', () => {
  it('is read line by line, with and without a payload', () => {
    const payload = Buffer.from('Not Found');
    assert.deepEqual(readAnswer('{"code":"4.04","payload":"Tm90IEZvdW5k"}'), {
      code: '4.04',
      contentFormat: undefined,
      maxAge: undefined,
      payload,
    });
    assert.deepEqual(readAnswer('{"code":"5.03","contentFormat":0,"maxAge":5,"payload":null}'), {
      code: '5.03',
      contentFormat: 0,
      maxAge: 5,
      payload: Buffer.alloc(0),
    });
  });
});

describe('links, RFC 6690 §2', () => {
  it('have a path, and attributes with and without quotes', () => {
    const links = readLinks('</est/sen>;rt="ace.est.sen";ct="281 287",</est/att>;rt=ace.est.att;ct=285,</x>;obs');
    assert.deepEqual(
      links.map(({ path, attributes }) => [path, Object.fromEntries(attributes)]),
      [
        ['/est/sen', { rt: 'ace.est.sen', ct: '281 287' }],
        ['/est/att', { rt: 'ace.est.att', ct: '285' }],
        ['/x', { obs: '' }],
      ],
    );
    assert.deepEqual(readLinks(''), []);
  });

  it('are refused when there is anything between them', () => {
    for (const text of ['est', '</est> ', '</est>;ct="281']) assert.throws(() => readLinks(text), text);
  });
});

describe('multipart-core, RFC 8710 §2', () => {
  const part = (format: number, body: Uint8Array) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    return Buffer.concat([Buffer.of(0x19, format >> 8, format & 0xff, 0x59), length, body]);
  };

  it('has numbers and byte strings in turn, of any length', () => {
    const octets = fc.uint8Array({ maxLength: 2_000 });
    fc.assert(
      fc.property(octets, octets, (key, certificate) => {
        const body = Buffer.concat([Buffer.of(0x84), part(284, key), part(281, certificate)]);
        assert.deepEqual(
          readMultipart(body).map(({ format, body: octetsOf }) => [
            format,
            Buffer.compare(octetsOf, Buffer.from(format === 284 ? key : certificate)),
          ]),
          [
            [284, 0],
            [281, 0],
          ],
        );
      }),
    );
  });

  it('is refused when it is cut short, goes on behind its end, or is anything else', () => {
    const whole = Buffer.concat([Buffer.of(0x84), part(284, Buffer.from('key')), part(281, Buffer.from('cert'))]);
    for (let end = 0; end < whole.length; end += 1) assert.throws(() => readMultipart(whole.subarray(0, end)));
    assert.throws(() => readMultipart(Buffer.concat([whole, Buffer.of(0)])));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        try {
          readMultipart(Buffer.from(octets));
        } catch (error) {
          assert(error instanceof assert.AssertionError || error instanceof RangeError, String(error));
        }
      }),
    );
  });
});
