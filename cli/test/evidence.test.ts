// `gatehouse evidence show` believes no signature that it has not verified itself.
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { SigningKey } from '@gatehouse/ra-client/administration';
import fc from 'fast-check';
import { verifyFinalize } from '../src/evidence/verify-finalize.ts';
import { verifyStatement } from '../src/evidence/verify-statement.ts';
import {
  accountUri,
  finalizeEvidence,
  flattenedJws,
  newKey,
  newRequestFor,
  signStatement,
  statementPayload,
  type TestOrder,
} from './support/validation.ts';

const order: TestOrder = {
  base: 'https://acme.test',
  name: 'a.example',
  accountKey: newKey(),
  orderId: 'order-1',
  perspectives: ['cork', 'dublin'],
  issuerDomainName: 'ca.example',
};
const uri = 'spiffe://gatehouse.internal/perspective/dublin';
const key = newKey();
const payload = statementPayload(order, 'dcv', { uri }, 'attempt');
const statement = signStatement(payload, key);
const minuteMs = 60_000;

function signingKey(changes: Partial<SigningKey> = {}): SigningKey {
  return {
    keyId: jwkOfKey(key).thumbprint,
    holder: uri,
    subjectPublicKeyInfo: publicKeyOf(key),
    activeFrom: new Date(Date.now() - 10 * minuteMs),
    retiredAt: undefined,
    revokedAt: undefined,
    ...changes,
  };
}

const publicKeyOf = (of: KeyObject) => createPublicKey(of).export({ type: 'spki', format: 'der' });
const faultOf = (text: string, ...keys: readonly SigningKey[]) => verifyStatement(Buffer.from(text), keys).fault;
const ago = (minutes: number) => new Date(Date.now() - minutes * minuteMs);

describe('mpic.md §4: a statement that is verified offline', () => {
  it('holds with the key that it names, and shows what it says', () => {
    const finding = verifyStatement(Buffer.from(statement), [signingKey()]);
    assert.equal(finding.fault, undefined);
    assert.deepEqual(finding.payload, payload);
  });

  it('holds with a key that was retired afterwards', () =>
    assert.equal(faultOf(statement, signingKey({ retiredAt: new Date(Date.now() + minuteMs) })), undefined));

  it('says when its key was revoked since', () => {
    const revokedAt = new Date();
    const finding = verifyStatement(Buffer.from(statement), [signingKey({ revokedAt })]);
    assert.deepEqual([finding.fault, finding.keyRevokedAt], [undefined, revokedAt]);
  });

  it('does not hold without its key', () => {
    assert.match(faultOf(statement) ?? '', /not among the keys/);
    const other = newKey();
    const { thumbprint } = jwkOfKey(other);
    assert.match(faultOf(statement, signingKey({ keyId: thumbprint })) ?? '', /not among the keys/);
  });

  it('does not hold with another key under the name of its own', () => {
    const subjectPublicKeyInfo = publicKeyOf(newKey());
    assert.match(faultOf(statement, signingKey({ subjectPublicKeyInfo })) ?? '', /not the one of that name/);
    const junk = signingKey({ subjectPublicKeyInfo: Buffer.from('junk') });
    assert.match(faultOf(statement, junk) ?? '', /no form as a JWK/);
  });

  it('does not hold for another holder, or out of the time of its key', () => {
    assert.match(faultOf(statement, signingKey({ holder: `${uri}-2` })) ?? '', /its key is of/);
    assert.match(faultOf(statement, signingKey({ retiredAt: ago(5) })) ?? '', /retired before/);
    assert.match(faultOf(statement, signingKey({ activeFrom: ago(-5) })) ?? '', /not active yet/);
  });

  it('does not hold when somebody else signed it', () => {
    const [header, body] = statement.split('.');
    const [, , signature] = signStatement(payload, newKey()).split('.');
    assert.match(faultOf(`${header}.${body}.${signature}`, signingKey()) ?? '', /does not verify/);
  });

  it('does not hold with any character changed', () => {
    fc.assert(
      fc.property(fc.nat(statement.length - 1), fc.constantFrom(...'AZaz09-_.'), (index, character) => {
        fc.pre(statement[index] !== character);
        const changed = statement.slice(0, index) + character + statement.slice(index + 1);
        assert.notEqual(faultOf(changed, signingKey()), undefined);
      }),
    );
  });

  it('is judged, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        assert.notEqual(verifyStatement(octets, [signingKey()]).fault, undefined);
      }),
    );
  });
});

describe('RFC 8555 §7.4: a finalize request that is verified offline', () => {
  const subjectKey = newKey();
  const csr = newRequestFor(order.name, subjectKey);
  const certified = publicKeyOf(subjectKey);
  const evidence = JSON.parse(finalizeEvidence(order, csr).toString());
  const finding = (changes: object) =>
    verifyFinalize(Buffer.from(JSON.stringify({ ...evidence, ...changes })), certified);

  it('holds for the key that was certified, and says whose it is', () => {
    const { fault, holder } = finding({});
    assert.equal(fault, undefined);
    assert.deepEqual(
      [holder?.account, holder?.url],
      [accountUri(order), `${order.base}/acme/order/${order.orderId}/finalize`],
    );
    assert.equal(holder?.thumbprint, jwkOfKey(order.accountKey).thumbprint);
  });

  it('does not hold for another certificate', () => {
    const other = publicKeyOf(newKey());
    assert.match(verifyFinalize(finalizeEvidence(order, csr), other).fault ?? '', /another key/);
  });

  it('does not hold with another account key', () =>
    assert.match(finding({ jwk: jwkOfKey(newKey()).jwk }).fault ?? '', /does not verify/));

  it('does not hold with another payload', () => {
    const jws = { ...evidence.jws, payload: Buffer.from('{"csr":"AA"}').toString('base64url') };
    assert.notEqual(finding({ jws }).fault, undefined);
  });

  const url = `${order.base}/acme/key-change`;
  const account = accountUri(order);
  const change = (from: KeyObject, to: KeyObject, changes: { signer?: KeyObject; account?: string } = {}) => {
    const payload = { account: changes.account ?? account, oldKey: jwkOfKey(from).jwk };
    const inner = flattenedJws({ url, jwk: jwkOfKey(to).jwk }, payload, changes.signer ?? to);
    return flattenedJws({ url, kid: account, nonce: 'bm9uY2U' }, inner, from);
  };
  const [first, second] = [newKey(), newKey()];

  it('holds with the changes of the key that lead to it, and names the former keys', () => {
    const { fault, holder } = finding({ keyChanges: [change(first, second), change(second, order.accountKey)] });
    assert.equal(fault, undefined);
    assert.deepEqual(
      holder?.formerThumbprints,
      [first, second].map((key) => jwkOfKey(key).thumbprint),
    );
  });

  it('does not hold when a change of the key does not lead to it, is of another account or signed by another key', () => {
    assert.match(finding({ keyChanges: [change(first, second)] }).fault ?? '', /does not lead/);
    const other = change(first, order.accountKey, { account: `${order.base}/acme/account/two` });
    assert.match(finding({ keyChanges: [other] }).fault ?? '', /another account/);
    const forged = change(first, order.accountKey, { signer: newKey() });
    assert.match(finding({ keyChanges: [forged] }).fault ?? '', /both keys/);
  });

  it('is judged, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.notEqual(verifyFinalize(Buffer.from(text), certified).fault, undefined);
        assert.notEqual(finding({ jws: text }).fault, undefined);
      }),
    );
  });
});
