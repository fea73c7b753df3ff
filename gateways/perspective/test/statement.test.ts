import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Finding } from '@gatehouse/gateway-perspective/finding';
import { signKeyProof, signStatement } from '@gatehouse/gateway-perspective/statement';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import { maximumStatementOctets } from '@gatehouse/ra-client/perspective-statement';
import { readStatement } from './support/read-statement.ts';

const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = jwkOfKey(key);
const maker = {
  holder: 'spiffe://gatehouse.internal/perspective/dublin',
  site: 'plant-a',
  rir: 'RIPE',
  build: 'gatehouse/test',
  keyId: jwk.thumbprint,
  key,
};
const finding: Finding = {
  v: 1,
  attempt: 'attempt-of-16-octets-x',
  order: 'order',
  authorization: 'authorization',
  perspectives: ['dublin'],
  check: 'dcv',
  identifier: { type: 'dns', value: 'www.example.com' },
  isWildcard: false,
  method: 'http-01',
  account: 'https://ca.example/acme/account/1',
  thumbprint: 'x'.repeat(43),
  token: 'token',
  expected: 'expected',
  result: 'fail',
  problem: { type: 'incorrectResponse', detail: 'the answer is "another"' },
  dns: [],
  started: '2026-11-21T12:00:00.000Z',
  finished: '2026-11-21T12:00:00.120Z',
};

describe('mpic.md §2.2: a statement', () => {
  it('is a compact JWS of its own type, ES256, in canonical JSON, with the labels of its maker', () => {
    const said = readStatement(signStatement(finding, maker), jwk);
    const { holder, site, rir, build } = maker;
    assert.deepEqual(said, { ...finding, perspective: holder, site, rir, build });
  });

  it('is refused by whoever has another key', () => {
    const other = jwkOfKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    const { signingInput, signature } = readCompactJws(signStatement(finding, maker));
    assert.equal(verifyJws({ alg: 'ES256', key: other, signingInput, signature }), false);
  });

  it('is never made of what the contract does not have: the keep would not believe it', () => {
    const strange = { ...finding, verdict: 'pass' };
    assert.throws(() => signStatement(strange, maker), /verdict/);
    assert.throws(() => signStatement({ ...finding, started: 'today' }, maker));
  });

  it('has at most 16 KiB', () => {
    const answer = { name: 'n'.repeat(255), type: 'TXT', rcode: 'NOERROR', isAuthenticated: false, resolver: 'r' };
    const large = { ...finding, dns: Array.from({ length: 64 }, () => answer) };
    assert.throws(() => signStatement(large, maker), /a statement would have \d+ octets/);
    assert.ok(signStatement(finding, maker).length < maximumStatementOctets);
  });
});

describe('mpic.md §3.1: the proof of a key', () => {
  it('carries the key, and is signed by it over its holder and the time', () => {
    const jws = readCompactJws(signKeyProof(maker.holder, key, new Date('2026-11-21T12:00:00Z')));
    assert.deepEqual(jws.protectedHeader, { alg: 'ES256', typ: 'gatehouse-signing-key+jws', jwk: jwk.jwk });
    assert.ok(verifyJws({ alg: 'ES256', key: jwk, signingInput: jws.signingInput, signature: jws.signature }));
    assert.equal(
      Buffer.from(jws.payload).toString('utf8'),
      `{"holder":"${maker.holder}","issuedAt":"2026-11-21T12:00:00.000Z"}`,
    );
  });
});
