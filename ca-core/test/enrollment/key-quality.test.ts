import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { describePublicKey, type PublicKeyDescription, PublicKeyError } from '@gatehouse/pkix/public-key';
import { judgeEdwardsPoint } from '@gatehouse/pkix/weak-keys/edwards-point';
import { judgeCurvePoint } from '@gatehouse/pkix/weak-keys/elliptic-curve-point';
import fc from 'fast-check';
import { checkKeyQuality } from '../../src/enrollment/key-quality.ts';
import type { KeyRule } from '../../src/profiles/profile.ts';
import { curveNames } from '../../src/profiles/vocabulary.ts';
import { badKey } from './expect.ts';

const rules: readonly KeyRule[] = [
  { kind: 'ec', curves: curveNames },
  { kind: 'ed25519' },
  { kind: 'ml-dsa', parameterSets: ['ML-DSA-65'] },
];

const generate = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey,
  ed25519: () => generateKeyPairSync('ed25519').publicKey,
  'ml-dsa-65': () => generateKeyPairSync('ml-dsa-65').publicKey,
  'ml-dsa-87': () => generateKeyPairSync('ml-dsa-87').publicKey,
} as const;

function spki(kind: keyof typeof generate): Buffer {
  return generate[kind]().export({ type: 'spki', format: 'der' });
}

function key(kind: keyof typeof generate): PublicKeyDescription {
  return describePublicKey(spki(kind));
}

function pointOf(curve: (typeof curveNames)[number]): Buffer {
  const description = key(curve);
  assert.equal(description.kind, 'ec');
  return Buffer.from(description.kind === 'ec' ? description.point : []);
}

describe('profile: kinds of key', () => {
  it('accepts each kind that has a rule', () => {
    for (const kind of ['P-256', 'P-384', 'P-521', 'ed25519', 'ml-dsa-65'] as const) checkKeyQuality(key(kind), rules);
  });

  it('refuses a curve, a kind and a parameter set without a rule, and names what is accepted', () => {
    const few: readonly KeyRule[] = [{ kind: 'ec', curves: ['P-384'] }];
    assert.throws(
      () => checkKeyQuality(key('P-256'), few),
      badKey(/^EC P-256 keys are not accepted; accepted: EC P-384$/),
    );
    assert.throws(() => checkKeyQuality(key('ed25519'), few), badKey(/^Ed25519 keys are not accepted/));
    assert.throws(() => checkKeyQuality(key('ml-dsa-87'), rules), badKey(/^ML-DSA-87 keys .*ML-DSA-65$/));
  });

  it('refuses a key of a kind that nobody here can check', () => {
    const { publicKey } = generateKeyPairSync('ed448');
    const description = describePublicKey(publicKey.export({ type: 'spki', format: 'der' }));
    assert.throws(() => checkKeyQuality(description, rules), badKey(/not supported; accepted: EC P-256/));
    const foreign = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
    const curve = describePublicKey(foreign.export({ type: 'spki', format: 'der' }));
    assert.throws(() => checkKeyQuality(curve, rules), badKey(/curve 1\.3\.132\.0\.10 is not supported/));
  });
});

describe('SP 800-56A §5.6.2.3.3: points of the NIST curves', () => {
  for (const curve of curveNames) {
    it(`refuses a point beside ${curve}`, () => {
      const point = pointOf(curve);
      point[point.length - 1] = (point.at(-1) ?? 0) ^ 1;
      assert.throws(() => checkKeyQuality({ kind: 'ec', curve, point }, rules), badKey(/is not on its curve/));
    });

    it(`refuses the point of ${curve} with a coordinate that is not reduced`, () => {
      const point = pointOf(curve);
      point.fill(0xff, 1, 1 + (point.length - 1) / 2);
      assert.match(judgeCurvePoint(curve, point) ?? '', /outside of the field/);
    });

    it(`refuses the compressed form, a cut point and infinity on ${curve}`, () => {
      const point = pointOf(curve);
      const compressed = Buffer.concat([Buffer.of(2), point.subarray(1, 1 + (point.length - 1) / 2)]);
      assert.match(judgeCurvePoint(curve, compressed) ?? '', /compressed/);
      assert.match(judgeCurvePoint(curve, point.subarray(0, -1)) ?? '', /not a point/);
      assert.match(judgeCurvePoint(curve, Buffer.of(0)) ?? '', /infinity/);
      assert.match(judgeCurvePoint(curve, Buffer.alloc(0)) ?? '', /not a point/);
    });
  }

  it('refuses a point of another curve of the same size', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
    assert.match(judgeCurvePoint('P-256', point) ?? '', /not on its curve/);
  });

  it('agrees with OpenSSL about every point', () => {
    const template = spki('P-256');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.boolean(), (coordinates, isReal) => {
        const point = isReal ? pointOf('P-256') : Buffer.concat([Buffer.of(4), coordinates]);
        const encoded = Buffer.concat([template.subarray(0, template.length - 65), point]);
        let accepted = true;
        try {
          createPublicKey({ key: encoded, type: 'spki', format: 'der' });
        } catch {
          accepted = false;
        }
        assert.equal(judgeCurvePoint('P-256', point) === undefined, accepted);
      }),
      { numRuns: 50 },
    );
  });
});

describe('RFC 8032 §5.1.3: Ed25519 points', () => {
  // The points of the subgroup of order 8, as the literature on small-subgroup attacks lists them.
  const smallOrder = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ];

  for (const encoded of smallOrder) {
    it(`refuses the point of small order ${encoded.slice(0, 8)}…${encoded.slice(-2)}`, () => {
      const description = { kind: 'ed25519', key: Buffer.from(encoded, 'hex') } as const;
      assert.throws(() => checkKeyQuality(description, rules), badKey(/small order/));
    });
  }

  it('refuses an encoding that is not reduced', () => {
    for (const encoded of ['ed', 'ee', 'f5', 'ff'].map((first) => `${first}${'ff'.repeat(30)}7f`)) {
      assert.match(judgeEdwardsPoint(Buffer.from(encoded, 'hex')) ?? '', /not canonically encoded/);
    }
  });

  it('accepts what key generation makes, and of other octets those that are on the curve', () => {
    const p = 2n ** 255n - 19n;
    const power = (base: bigint, exponent: bigint): bigint => {
      let [result, square] = [1n, base % p];
      for (let rest = exponent; rest > 0n; rest >>= 1n) {
        if ((rest & 1n) === 1n) result = (result * square) % p;
        square = (square * square) % p;
      }
      return result;
    };
    const d = (p - ((121665n * power(121666n, p - 2n)) % p)) % p;
    for (let i = 0; i < 5; i++) checkKeyQuality(key('ed25519'), rules);
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: p - 2n }), (y) => {
        const ratio = ((y * y - 1n) % p) * power((d * y * y + 1n) % p, p - 2n);
        const isOnCurve = power(ratio % p, (p - 1n) / 2n) === 1n;
        const encoded = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
        assert.equal(judgeEdwardsPoint(encoded), isOnCurve ? undefined : 'is not on the curve');
      }),
      { numRuns: 40 },
    );
  });
});

describe('FIPS 204 table 2: ML-DSA keys', () => {
  it('refuses a key of another length before it is judged', () => {
    const der = spki('ml-dsa-65');
    assert.throws(() => describePublicKey(der.subarray(0, -1)), PublicKeyError);
  });
});
