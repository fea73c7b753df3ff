import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { readFlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import fc from 'fast-check';
import { signatures } from './vectors.ts';

const header = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = {
  protected: header({ alg: 'ES256', nonce: 'n', url: 'https://ca.example/' }),
  payload: 'e30',
  signature: 'AAAA',
};
const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('RFC 8555 §6.2: flattened JWS', () => {
  it('is read: header, payload, signature, and what is signed', () => {
    const jws = readFlattenedJws(body(good));
    assert.deepEqual(jws.protectedHeader, { alg: 'ES256', nonce: 'n', url: 'https://ca.example/' });
    assert.equal(jws.protectedText, good.protected);
    assert.equal(jws.payloadText, 'e30');
    assert.deepEqual(Buffer.from(jws.payload), Buffer.from('{}'));
    assert.deepEqual(Buffer.from(jws.signature), Buffer.of(0, 0, 0));
    assert.equal(jws.signingInput.toString(), `${good.protected}.e30`);
  });

  it('may have an empty payload, RFC 8555 §6.3', () => {
    assert.equal(readFlattenedJws(body({ ...good, payload: '' })).payload.length, 0);
  });

  it('reads the examples of the RFCs in their flattened form', () => {
    for (const { protectedText, payloadText, signatureText, alg } of signatures) {
      const jws = readFlattenedJws(body({ payload: payloadText, protected: protectedText, signature: signatureText }));
      assert.equal(jws.protectedHeader.alg, alg);
    }
  });

  const bad: Record<string, unknown> = {
    'an unprotected header': { ...good, header: { kid: 'x' } },
    'an empty unprotected header': { ...good, header: {} },
    'the general form': { payload: 'e30', signatures: [{ protected: good.protected, signature: 'AAAA' }] },
    'a further member': { ...good, extra: 1 },
    'no protected header': { payload: 'e30', signature: 'AAAA' },
    'no payload': { protected: good.protected, signature: 'AAAA' },
    'no signature': { protected: good.protected, payload: 'e30' },
    'a payload that is no text': { ...good, payload: {} },
    padding: { ...good, payload: 'e30=' },
    'the other alphabet': { ...good, signature: 'A+/A' },
    'white space in base64url': { ...good, payload: 'e3 0' },
    'a line end in base64url': { ...good, payload: 'e30\n' },
    'a length that base64url cannot have': { ...good, payload: 'e30AA' },
    'bits that no octet takes up': { ...good, payload: 'e31' },
    'critical extensions': { ...good, protected: header({ alg: 'ES256', crit: ['exp'], exp: 1 }) },
    'an empty list of critical extensions': { ...good, protected: header({ alg: 'ES256', crit: [] }) },
    'a payload that is not encoded (RFC 7797)': { ...good, protected: header({ alg: 'ES256', b64: false }) },
    'no algorithm': { ...good, protected: header({ nonce: 'n' }) },
    'an algorithm that is no text': { ...good, protected: header({ alg: 7 }) },
    'an empty protected header': { ...good, protected: '' },
    'a protected header that is a list': { ...good, protected: header(['alg']) },
    'a protected header that is no JSON': { ...good, protected: Buffer.from('alg').toString('base64url') },
    'a protected header with a member twice': {
      ...good,
      protected: Buffer.from('{"alg":"ES256","nonce":"a","nonce":"b"}').toString('base64url'),
    },
    'a list': [good],
    nothing: null,
    text: 'a.b.c',
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`is refused with ${what}`, () => assert.throws(() => readFlattenedJws(body(value)), isMalformed));
  }

  it('is refused with a member twice', () => {
    const text = `{"protected":"${good.protected}","payload":"e30","payload":"e30","signature":"AAAA"}`;
    assert.throws(() => readFlattenedJws(Buffer.from(text)), isMalformed);
  });

  it('is refused when it is larger than allowed', () => {
    assert.throws(() => readFlattenedJws(body(good), { maximumOctets: 50 }), isMalformed);
    assert.throws(() => readFlattenedJws(Buffer.alloc(65_537, 0x20)), isMalformed);
  });

  it('never fails with anything but JoseError', () => {
    const octets = body(good);
    const changes = fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const changed = Buffer.from(octets);
        for (const [index, value] of list) changed[index] = value;
        onlyJoseErrors(() => readFlattenedJws(changed));
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => onlyJoseErrors(() => readFlattenedJws(bytes))));
    fc.assert(fc.property(fc.json(), (text) => onlyJoseErrors(() => readFlattenedJws(Buffer.from(text)))));
  });
});

describe('RFC 7515 §7.1: compact JWS', () => {
  it('has three parts', () => {
    for (const text of ['', 'a', 'a.b', `${good.protected}.e30`, `${good.protected}.e30.AAAA.AAAA`, '..']) {
      assert.throws(() => readCompactJws(text), isMalformed);
    }
  });

  it('is refused when it is larger than allowed', () => {
    assert.throws(() => readCompactJws(`${good.protected}.e30.AAAA`, { maximumOctets: 20 }), isMalformed);
  });

  it('has one text: no other spelling of it is read', () => {
    const text = `${good.protected}.e30.AAAA`;
    fc.assert(
      fc.property(fc.nat(text.length), fc.constantFrom('=', ' ', '\n', '+', '/', 'é', '\0'), (index, character) => {
        assert.throws(() => readCompactJws(text.slice(0, index) + character + text.slice(index)), isMalformed);
      }),
    );
  });

  it('never fails with anything but JoseError', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => onlyJoseErrors(() => readCompactJws(text))));
  });
});

function isMalformed(error: unknown): boolean {
  return error instanceof JoseError && error.code === 'malformed' && error.detail !== '';
}

function onlyJoseErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
  }
}
