// What is read of datagrams before any key is known, and the cookies that are made of it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { Cookies, cookieSecretLifeMs } from '../../src/dtls/cookie.ts';
import { type ClientHello, readClientHello, readFirstRecord } from '../../src/dtls/records.ts';

const random = Buffer.alloc(32, 7);

/** A ClientHello of DTLS 1.2 in one record. */
function clientHello(cookie: Uint8Array = Buffer.alloc(0), extensions: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([
    Buffer.from([0xfe, 0xfd]),
    random,
    Buffer.from([0, cookie.length]),
    cookie,
    Buffer.from([0, 2, 0xc0, 0xae, 1, 0]),
    extensions,
  ]);
  const head = Buffer.alloc(25);
  head.writeUInt8(22, 0);
  head.writeUInt16BE(0xfefd, 1);
  head.writeUInt16BE(12 + body.length, 11);
  head.writeUInt8(1, 13);
  head.writeUIntBE(body.length, 14, 3);
  head.writeUIntBE(body.length, 22, 3);
  return Buffer.concat([head, body]);
}

function read(datagram: Uint8Array): ClientHello {
  const hello = readClientHello(datagram);
  assert.ok(hello);
  return hello;
}

describe('RFC 6347 §4.1: the first record', () => {
  it('is a ClientHello, or a record of an epoch', () => {
    assert.deepEqual(readFirstRecord(clientHello()), { contentType: 22, epoch: 0, isClientHello: true });
    const data = Buffer.from('17fefd0001000000000000000201ff', 'hex');
    assert.deepEqual(readFirstRecord(data), { contentType: 23, epoch: 1, isClientHello: false });
  });

  it('is no ClientHello in a later epoch: renegotiation is for the session to refuse', () => {
    const datagram = clientHello();
    datagram.writeUInt16BE(1, 3);
    assert.equal(readFirstRecord(datagram)?.isClientHello, false);
  });

  it('is nothing when it is of another protocol, or not there whole', () => {
    for (const hex of [
      '',
      '16fefd',
      '0000fefd000000000000000000010000',
      '16030300000000000000000001ff',
      '16fefd000000000000000000020100ff'.slice(0, 28),
    ]) {
      assert.equal(readFirstRecord(Buffer.from(hex, 'hex')), undefined, hex);
    }
  });
});

describe('RFC 6347 §4.2.2: a ClientHello', () => {
  it('has a random, a cookie or none, and parameters that the cookie is no part of', () => {
    const [without, withCookie] = [read(clientHello()), read(clientHello(Buffer.alloc(32, 1)))];
    assert.equal(without.random, random.toString('hex'));
    assert.deepEqual([without.hasCookie, withCookie.hasCookie], [false, true]);
    assert.deepEqual(without.parameters, withCookie.parameters);
  });

  it('is not put together of fragments: that would need memory for peers that may not exist', () => {
    const datagram = clientHello();
    datagram.writeUIntBE(datagram.readUIntBE(14, 3) + 1, 14, 3);
    assert.equal(readClientHello(datagram), undefined);
  });

  it('is refused wherever it is cut off', () => {
    const whole = clientHello(Buffer.alloc(32, 1));
    for (let length = 0; length < whole.length; length++)
      assert.equal(readClientHello(whole.subarray(0, length)), undefined);
  });

  it('never has the reader throw, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.tuple(fc.nat(120), fc.nat(255))), (bytes, changes) => {
        readFirstRecord(bytes);
        readClientHello(bytes);
        const changed = clientHello(Buffer.alloc(20, 3), bytes);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        readFirstRecord(changed);
        readClientHello(changed);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 6347 §4.2.1: cookies', () => {
  const hello = read(clientHello());

  it('are right for the peer and the ClientHello they were made for', () => {
    const cookies = new Cookies(createManualClock(new Date(0)));
    const cookie = cookies.make('192.0.2.1 5000', hello);
    assert.equal(cookie.length, 32);
    assert.ok(cookies.isRight(cookie, '192.0.2.1 5000', hello));
    assert.ok(!cookies.isRight(cookie, '192.0.2.1 5001', hello));
    assert.ok(!cookies.isRight(cookie.subarray(1), '192.0.2.1 5000', hello));
    const other = clientHello();
    other.writeUInt8(8, 27);
    assert.ok(!cookies.isRight(cookie, '192.0.2.1 5000', read(other)));
  });

  it('are made with a secret that changes; one that was just changed is still good', () => {
    const clock = createManualClock(new Date(0));
    const cookies = new Cookies(clock);
    const cookie = cookies.make('peer', hello);
    clock.advance(cookieSecretLifeMs);
    assert.ok(cookies.isRight(cookie, 'peer', hello));
    assert.notDeepEqual(cookies.make('peer', hello), cookie);
    clock.advance(cookieSecretLifeMs);
    assert.ok(!cookies.isRight(cookie, 'peer', hello));
  });

  it('are not good any more when nobody came for long', () => {
    const clock = createManualClock(new Date(0));
    const cookies = new Cookies(clock);
    const cookie = cookies.make('peer', hello);
    clock.advance(2 * cookieSecretLifeMs);
    assert.ok(!cookies.isRight(cookie, 'peer', hello));
  });
});
