// The proof by which a key is registered: of just this key, by just this holder, now.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { CoreErrorType } from '@gatehouse/proto/core-error';
import fc from 'fast-check';
import { callerUri } from '../../src/registry/caller.ts';
import { readSigningKeyProof } from '../../src/registry/signing-key-proof.ts';
import { isCoreError } from '../core-error.ts';
import { type ProofChanges, signingKeyProof } from '../support/perspectives.ts';

const now = new Date('2026-06-01T12:00:00.000Z');
const holder = callerUri('perspective', 'dublin');
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const key = newKey();
const { jwk, thumbprint } = jwkOfKey(key);

function read(changes: ProofChanges = {}) {
  return readSigningKeyProof(signingKeyProof(key, holder, now, changes), holder, now);
}

function refuses(changes: ProofChanges, code: CoreErrorType): void {
  assert.throws(() => read(changes), isCoreError(code));
}

describe('RFC 7515: the proof of a signing key', () => {
  it('yields the key, its RFC 7638 thumbprint and its time', () => {
    assert.deepEqual(read(), {
      keyId: thumbprint,
      subjectPublicKeyInfo: createPublicKey(key).export({ type: 'spki', format: 'der' }),
      issuedAt: now,
    });
  });

  it('is signed with the key itself', () => refuses({ signer: newKey() }, 'unauthorized'));

  it('is of the caller and of nobody else', () => {
    for (const other of [callerUri('perspective', 'cork'), callerUri('gate', 'dublin'), `${holder}/`, '']) {
      refuses({ payload: { holder: other } }, 'unauthorized');
    }
  });

  const headers: Readonly<Record<string, JsonObject>> = {
    'another type': { typ: 'gatehouse-perspective-statement+jws' },
    'no type': { typ: undefined },
    'another algorithm than its key': { alg: 'ES384' },
    'no algorithm': { alg: 'none' },
    'a MAC': { alg: 'HS256' },
    'a member more': { kid: 'x' },
    'a critical extension': { crit: ['exp'] },
    'unencoded payload': { b64: false },
  };
  for (const [name, header] of Object.entries(headers)) {
    it(`is refused with ${name}`, () => refuses({ header }, 'malformed'));
  }

  it('is refused without a key, with a private one, or with one that is no key', () => {
    for (const other of [undefined, null, 'x', {}, [jwk], { ...jwk, d: 'AAAA' }, { ...jwk, x: jwk.kty }]) {
      refuses({ header: { jwk: other } }, 'bad-key');
    }
  });

  it('is refused for any key but one on P-256, by which alone statements are signed', () => {
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ed25519'),
    ];
    for (const { privateKey } of others) {
      const proof = signingKeyProof(privateKey, holder, now);
      assert.throws(() => readSigningKeyProof(proof, holder, now), isCoreError('malformed'));
      refuses({ header: { jwk: jwkOfKey(privateKey).jwk } }, 'bad-key');
    }
  });

  const payloads: readonly JsonObject[] = [
    { issuedAt: undefined },
    { issuedAt: 'now' },
    { issuedAt: '2026-06-01T12:00:00Z' },
    { issuedAt: '2026-06-01T14:00:00.000+02:00' },
    { issuedAt: 1_780_315_200_000 },
    { holder: undefined },
    { holder: 1 },
    { more: true },
  ];
  for (const payload of payloads) {
    it(`is refused with the payload ${JSON.stringify(payload)}`, () => refuses({ payload }, 'malformed'));
  }

  it('may be a minute old or early, and says how far the clocks are apart otherwise', () => {
    const at = (seconds: number) => ({ payload: { issuedAt: new Date(now.getTime() + seconds * 1000).toISOString() } });
    for (const seconds of [-60, 60]) read(at(seconds));
    assert.throws(() => read(at(-61)), /61 s behind/);
    assert.throws(() => read(at(3600)), /3600 s ahead of/);
  });

  it('has at most 4 KiB', () => {
    assert.throws(() => readSigningKeyProof('a'.repeat(4097), holder, now), isCoreError('malformed'));
  });

  it('is refused with any octet changed', () => {
    const proof = signingKeyProof(key, holder, now);
    fc.assert(
      fc.property(fc.nat(proof.length - 1), fc.constantFrom(...'AZaz09-_.=+ '), (index, character) => {
        fc.pre(proof[index] !== character);
        const changed = proof.slice(0, index) + character + proof.slice(index + 1);
        assert.throws(() => readSigningKeyProof(changed, holder, now), { name: 'CoreError' });
      }),
    );
  });

  it('is refused by name, whatever comes', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.record({ alg: fc.anything(), typ: fc.anything(), jwk: fc.anything() }).map((header) => {
        const text = JSON.stringify(header, (_name, value) => (typeof value === 'bigint' ? String(value) : value));
        return Buffer.from(text).toString('base64url');
      }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        assert.throws(() => readSigningKeyProof(parts.join('.'), holder, now), { name: 'CoreError' });
      }),
    );
  });
});
