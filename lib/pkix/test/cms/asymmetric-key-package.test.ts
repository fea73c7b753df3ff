import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readAsymmetricKeyPackage, writeAsymmetricKeyPackage } from '../../src/cms/asymmetric-key-package.ts';
import { CmsError } from '../../src/cms/error.ts';
import { sequence } from '../../src/der/writer.ts';

const keys = [
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('ed25519'),
  generateKeyPairSync('ml-dsa-44'),
].map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'der' }));

describe('RFC 5958 §2: AsymmetricKeyPackage', () => {
  it('gives back the keys that were put in, in their order', () => {
    const read = readAsymmetricKeyPackage(writeAsymmetricKeyPackage(keys));
    assert.deepEqual(
      read.map((key) => Buffer.from(key)),
      keys,
    );
    for (const key of read) createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' });
  });

  it('has at least one key', () => {
    assert.throws(() => writeAsymmetricKeyPackage([]), CmsError);
    assert.throws(() => readAsymmetricKeyPackage(sequence()), CmsError);
  });

  it('takes nothing that is not a OneAsymmetricKey', () => {
    const [key = assert.fail()] = keys;
    for (const wrong of [Buffer.from('key'), sequence(), key.subarray(1), Buffer.concat([key, Buffer.alloc(1)])]) {
      assert.throws(() => writeAsymmetricKeyPackage([wrong]), CmsError);
    }
  });

  it('raises nothing but CmsError for foreign octets', () => {
    const whole = Buffer.from(writeAsymmetricKeyPackage(keys.slice(0, 1)));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, to) => {
        const changed = Buffer.from(whole);
        changed[at] = to;
        try {
          readAsymmetricKeyPackage(changed);
        } catch (error) {
          assert.ok(error instanceof CmsError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
