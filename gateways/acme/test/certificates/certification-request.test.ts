// The CSR of a finalize request: what clients send, what is refused, and what the refusal says.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import { prime, primeAfter, rocaPrime, rsaKey } from '@gatehouse/pkix/test-support/rsa-keys';
import fc from 'fast-check';
import { judgeCertificationRequest, readCsr } from '../../src/certification-request.ts';
import { AcmeError } from '../../src/errors.ts';
import type { Identifier } from '../../src/identifier.ts';
import { judgeKey } from '../../src/key-rules.ts';
import type { ProblemType } from '../../src/problem.ts';
import { newKey, newRequest } from '../support/issuer.ts';

const base64url = (der: Uint8Array) => Buffer.from(der).toString('base64url');
const refusal = (type: ProblemType, detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AcmeError, String(error));
  assert.equal(error.type, type, error.detail);
  assert.match(error.detail, detail);
  return true;
};

const names: readonly Identifier[] = [
  { type: 'dns', value: 'a.example' },
  { type: 'dns', value: '*.b.example' },
  { type: 'ip', value: '2001:db8::1' },
];
const alternativeNames = ['DNS:a.example', 'DNS:*.b.example', 'IP:2001:db8::1'];
const keys = [
  { kind: 'ec', parameters: ['P-256'], minimumBits: 0, maximumBits: 0 },
  { kind: 'rsa', parameters: [], minimumBits: 2048, maximumBits: 4096 },
];
const accountKey = newKey();

function judge(der: Uint8Array, identifiers = names): void {
  const request = readCsr(base64url(der), true);
  judgeCertificationRequest(request, { identifiers, keys, accountKey: createPublicKey(accountKey) });
}

describe('RFC 8555 §7.4: the csr member', () => {
  const der = newRequest({ names: alternativeNames });
  // Signatures differ in length from one to the next: one of many leaves the last group of base64 open.
  const paddable = Array.from({ length: 40 }, () => newRequest({ names: alternativeNames })).find(
    ({ length }) => length % 3 !== 0,
  );

  it('is base64url of DER; padding is cut off unless the gate is strict', () => {
    assert.ok(paddable !== undefined);
    const padded = Buffer.from(paddable).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    assert.match(padded, /=$/);
    assert.equal(Buffer.compare(readCsr(padded, false).der, paddable), 0);
    assert.throws(() => readCsr(padded, true), refusal('malformed', /without padding/));
  });

  it('is refused as base64, with white space, as anything but text', () => {
    const text = base64url(der);
    for (const value of [
      undefined,
      null,
      7,
      '',
      `${text}\n`,
      ` ${text}`,
      `${text.slice(0, 8)}+${text.slice(9)}`,
      'é',
    ]) {
      assert.throws(() => readCsr(value, false), refusal('malformed', /csr/));
    }
  });

  it('is refused as PEM and with trailing octets, saying which', () => {
    const pem = encodePem('CERTIFICATE REQUEST', der);
    assert.throws(() => readCsr(pem, false), refusal('badCSR', /is PEM/));
    assert.throws(() => readCsr(base64url(Buffer.from(pem)), false), refusal('badCSR', /base64url of PEM/));
    const longer = Buffer.concat([der, Buffer.from([0, 0])]);
    assert.throws(() => readCsr(base64url(longer), false), refusal('badCSR', /2 octets behind/));
    assert.throws(() => readCsr(base64url(Buffer.alloc(20_000, 0x30)), false), refusal('badCSR', /20000 octets/));
  });

  it('is refused and nothing else, whatever its octets are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(der.length - 1), (noise, at) => {
        const mutated = Buffer.from(der);
        mutated.set(noise.subarray(0, mutated.length - at), at);
        for (const octets of [noise, mutated]) {
          try {
            judge(octets);
          } catch (error) {
            assert.ok(
              error instanceof AcmeError && (error.type === 'badCSR' || error.type === 'malformed'),
              String(error),
            );
          }
        }
      }),
    );
  });
});

describe('RFC 8555 §7.4: the names of the CSR are those of the order', () => {
  it('in the alternative names, the common name, or both; in any case and order', () => {
    judge(newRequest({ names: alternativeNames.toReversed() }));
    judge(newRequest({ subject: 'CN=A.Example', names: alternativeNames }));
    judge(newRequest({ subject: 'CN=a.example', names: alternativeNames.slice(1) }));
    judge(newRequest({ subject: 'CN=2001:DB8:0::1', names: alternativeNames.slice(0, 2) }));
    judge(newRequest({ subject: 'CN=a.example' }), names.slice(0, 1));
  });

  it('and each missing or further one is named', () => {
    assert.throws(
      () => judge(newRequest({ names: alternativeNames.slice(1) })),
      refusal('badCSR', /'a\.example' of the order/),
    );
    const further = [...alternativeNames, 'DNS:c.example', 'email:x@example.com'];
    assert.throws(
      () => judge(newRequest({ names: further })),
      (error) => {
        assert.ok(error instanceof AcmeError);
        assert.deepEqual(
          error.options.subproblems?.map(({ identifier }) => identifier?.value),
          ['c.example', undefined],
        );
        return refusal('badCSR', /c\.example.*x@example\.com/)(error);
      },
    );
    assert.throws(
      () => judge(newRequest({ subject: 'CN=d.example', names: alternativeNames })),
      refusal('badCSR', /d\.example/),
    );
    assert.throws(
      () => judge(newRequest({ subject: 'CN=My Device', names: alternativeNames })),
      refusal('badCSR', /My Device/),
    );
  });
});

describe('RFC 8555 §7.4, §11.1: the key of the CSR', () => {
  const withKey = (key: KeyObject) => newRequest({ names: alternativeNames, key });

  it('is not that of the account', () => {
    assert.throws(() => judge(withKey(accountKey)), refusal('badCSR', /key of the account/));
  });

  it('is of a kind and size that the profile takes', () => {
    judge(withKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
    const bad: readonly [KeyObject, RegExp][] = [
      [generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, /1024 bits/],
      [generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, /EC P-384 keys are not accepted/],
      [generateKeyPairSync('ed25519').privateKey, /Ed25519 keys are not accepted/],
    ];
    for (const [key, detail] of bad) assert.throws(() => judge(withKey(key)), refusal('badCSR', detail));
  });

  it('is none that anybody could factor: ROCA, neighbouring primes, small factors (BR §6.1.1.3)', () => {
    const half = prime(1024);
    const weak: readonly (readonly [bigint, RegExp])[] = [
      [rocaPrime() * rocaPrime(), /ROCA/],
      [half * primeAfter(half), /so close/],
      [((1n << 2046n) + 1n) * 3n, /divisible by 3/],
    ];
    for (const [modulus, detail] of weak) assert.match(judgeKey(rsaKey(modulus), keys) ?? '', detail);
    assert.match(judgeKey(rsaKey(half * prime(1024), 3n), keys) ?? '', /exponent/);
  });

  it('is one whose private half the client has', () => {
    const der = Buffer.from(newRequest({ names: alternativeNames }));
    const last = der.length - 1;
    der[last] = (der[last] ?? 0) ^ 1;
    assert.throws(() => judge(der), refusal('badCSR', /possession/));
  });
});
