import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { namePatternsSchema } from '@gatehouse/gateway-kit/est/name-policy';
import { createManualClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createBearerScheme } from '../src/bearer.ts';

const clock = createManualClock(new Date('2026-03-01T00:00:00Z'));
const now = clock.now().getTime() / 1000;
const good = { iss: 'https://id.example', sub: 'device-7', aud: 'est', exp: now + 300, iat: now };

describe('RFC 6750: Bearer', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bearer-'));
  const file = join(directory, 'keys.json');
  let sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;

  before(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    writeFileSync(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }));
    sign = (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
  });
  after(() => rmSync(directory, { recursive: true }));

  const verify = (token: string) => {
    const issuer = {
      issuer: good.iss,
      audience: 'est',
      keys: file,
      labels: ['*'],
      names: namePatternsSchema.parse({}),
    };
    const scheme = createBearerScheme({ realm: 'r', issuers: [issuer], clock });
    return scheme.verify({
      credentials: { kind: 'token', scheme: 'bearer', token },
      method: 'POST',
      target: '/',
      address: '',
    });
  };

  it('accepts a token of a known issuer for this gate', async () => {
    const verdict = await verify(await sign(good));
    assert.ok(verdict.ok && verdict.holder.kind === 'token');
    assert.deepEqual([verdict.holder.issuer, verdict.holder.subject], ['https://id.example', 'device-7']);
  });

  for (const [what, changes] of [
    ['another audience', { aud: 'acme' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['no subject', { sub: undefined }],
    ['no end', { exp: undefined }],
    ['an end in the past', { exp: now - 60 }],
    ['a beginning in the future', { nbf: now + 600 }],
  ] as const) {
    it(`refuses a token with ${what}`, async () => {
      assert.equal((await verify(await sign({ ...good, ...changes }))).ok, false);
    });
  }

  it('refuses unsigned tokens, tokens signed with a shared secret, and other keys', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    assert.equal((await verify(`${part({ alg: 'none' })}.${part(good)}.`)).ok, false);
    const shared = await new SignJWT(good).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1));
    assert.equal((await verify(shared)).ok, false);
    const other = await generateKeyPair('ES256');
    const forged = await new SignJWT(good).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(other.privateKey);
    assert.equal((await verify(forged)).ok, false);
    assert.equal((await verify('not.a.token')).ok, false);
    assert.equal((await verify('')).ok, false);
  });

  it('ends the start when a key set cannot be read or a name pattern means nothing', () => {
    const issuer = { issuer: 'i', audience: 'a', labels: ['*'], names: namePatternsSchema.parse({}) };
    for (const keys of [join(directory, 'missing.json'), 'http://id.example/keys']) {
      assert.throws(() => createBearerScheme({ realm: 'r', issuers: [{ ...issuer, keys }], clock }), FatalError);
    }
    const names = namePatternsSchema.parse({ ipRanges: ['nonsense'] });
    assert.throws(
      () => createBearerScheme({ realm: 'r', issuers: [{ ...issuer, keys: file, names }], clock }),
      FatalError,
    );
  });
});
