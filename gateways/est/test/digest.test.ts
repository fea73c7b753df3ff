import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { createManualClock } from '@gatehouse/runtime/clock';
import { readAuthorization } from '../src/authorization.ts';
import { BackOff } from '../src/back-off.ts';
import { createGuard } from '../src/credentials.ts';
import { createDigestScheme } from '../src/digest.ts';
import { holdUsers, usersFileSchema } from '../src/users.ts';
import { digestSecret } from '../src/users-file.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const realm = 'Gatehouse EST';
const target = '/.well-known/est/simpleenroll';

function setUp() {
  const clock = createManualClock(new Date('2026-03-01T00:00:00Z'));
  const digest = digestSecret('alice', realm, 'pw');
  const users = holdUsers(usersFileSchema.parse({ users: [{ name: 'alice', digest }, { name: 'basic-only' }] }).users);
  const times = { freeFailures: 5, firstDelayMs: 5_000, maximumDelayMs: 60_000, forgetAfterMs: 60_000, clock };
  const scheme = createDigestScheme({
    realm,
    users,
    clock,
    guard: createGuard(new BackOff(times), new BackOff(times)),
  });
  const nonceOf = () => /nonce="([^"]+)"/.exec(scheme.challenge(false))?.[1] ?? '';
  const verify = (changes: Readonly<Record<string, string>> = {}, password = 'pw') => {
    const fields: Record<string, string> = {
      username: 'alice',
      realm,
      uri: target,
      algorithm: 'SHA-256',
      nonce: nonceOf(),
      nc: '00000001',
      cnonce: 'abc',
      qop: 'auth',
      ...changes,
    };
    const { username = '', nonce, nc, cnonce, qop, uri } = fields;
    const response = sha256(
      `${sha256(`${username}:${realm}:${password}`)}:${nonce}:${nc}:${cnonce}:${qop}:${sha256(`POST:${uri}`)}`,
    );
    const all = { response, ...fields };
    const credentials = readAuthorization(
      `Digest ${Object.entries(all)
        .map(([name, value]) => `${name}="${value}"`)
        .join(', ')}`,
    );
    assert.ok(credentials !== undefined);
    return scheme.verify({ credentials, method: 'POST', target, address: '192.0.2.1' });
  };
  return { clock, verify, nonceOf, scheme };
}

describe('RFC 7616: Digest with SHA-256', () => {
  it('accepts the right response once for each nonce count', async () => {
    const { verify, nonceOf } = setUp();
    const nonce = nonceOf();
    assert.equal((await verify({ nonce })).ok, true);
    assert.equal((await verify({ nonce, nc: '00000002' })).ok, true);
    assert.deepEqual(await verify({ nonce, nc: '00000002' }), { ok: false, reason: 'stale nonce', isStale: true });
    assert.deepEqual(await verify({ nonce, nc: '00000001' }), { ok: false, reason: 'stale nonce', isStale: true });
  });

  it('calls an old nonce, and one of another process, stale', async () => {
    const { verify, nonceOf, clock } = setUp();
    const nonce = nonceOf();
    clock.advance(300_001);
    assert.equal((await verify({ nonce })).ok, false);
    const foreign = setUp().nonceOf();
    assert.deepEqual(await verify({ nonce: foreign }), { ok: false, reason: 'stale nonce', isStale: true });
  });

  it('refuses a wrong password, an unknown user, and a user without a Digest secret', async () => {
    const { verify } = setUp();
    assert.equal((await verify({}, 'no')).ok, false);
    assert.equal((await verify({ username: 'bob' })).ok, false);
    assert.equal((await verify({ username: 'basic-only' })).ok, false);
  });

  for (const [what, changes] of [
    ['MD5', { algorithm: 'MD5' }],
    ['no qop', { qop: '' }],
    ['another resource', { uri: '/.well-known/est/cacerts' }],
    ['another realm', { realm: 'other' }],
    ['a nonce count that is none', { nc: '1' }],
    ['no client nonce', { cnonce: '' }],
    ['a wrong response', { response: '0'.repeat(64) }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const verdict = await setUp().verify(changes);
      assert.ok(!verdict.ok && verdict.isStale !== true);
    });
  }

  it('reads user names in the notation of RFC 8187', async () => {
    const { verify } = setUp();
    assert.equal((await verify({ 'username*': "UTF-8''alice" })).ok, false, 'both forms at once are refused');
  });

  it('slows guessing down', async () => {
    const { verify } = setUp();
    for (let i = 0; i < 6; i++) assert.equal((await verify({}, `guess ${i}`)).ok, false);
    await assert.rejects(verify(), (error) => error instanceof EstError && error.code === 'too-many-requests');
  });
});
