import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { BackOff } from '../src/back-off.ts';
import { createBasicScheme } from '../src/basic.ts';
import { createGuard } from '../src/credentials.ts';
import { hashPassword, PasswordHashError, parsePasswordHash, verifyPassword } from '../src/password-hash.ts';
import { holdUsers, usersFileSchema } from '../src/users.ts';

describe('password hashes', () => {
  for (const name of ['argon2id', 'scrypt'] as const) {
    it(`of ${name} verify the password and no other`, async () => {
      const hash = parsePasswordHash(await hashPassword('correct horse', name));
      assert.equal(await verifyPassword(hash, 'correct horse'), true);
      assert.equal(await verifyPassword(hash, 'correct horsf'), false);
      assert.equal(await verifyPassword(hash, ''), false);
    });
  }

  it('take a password that is typed in another normal form for the same', async () => {
    assert.equal(await verifyPassword(parsePasswordHash(await hashPassword('caf\u00e9')), 'cafe\u0301'), true);
  });

  it('are read from PHC strings that other tools made', async () => {
    // RFC 7914 §12: scrypt (P="password", S="NaCl", N=1024, r=8, p=16, dkLen=64), written as a PHC string.
    const output =
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640';
    const base64 = Buffer.from(output, 'hex').toString('base64').replace(/=+$/, '');
    const salt = Buffer.from('NaClNaCl').toString('base64').replace(/=+$/, '');
    assert.equal(
      await verifyPassword(parsePasswordHash(`$scrypt$ln=10,r=8,p=16$${salt}$${base64}`), 'password'),
      false,
    );
    assert.throws(() => parsePasswordHash(`$scrypt$ln=10,r=8,p=16$TmFDbA$${base64}`), /at least 8 octets/);
  });

  it('are refused when they are none, or cost more than a gate can pay', () => {
    const tail = '$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA';
    for (const text of [
      '',
      'secret',
      '$1$abc$def',
      `$argon2i$v=19$m=4096,t=1,p=1${tail}`,
      `$argon2id$v=16$m=4096,t=1,p=1${tail}`,
      `$argon2id$v=19$m=99999999,t=1,p=1${tail}`,
      `$argon2id$v=19$m=4096,t=999,p=1${tail}`,
      `$argon2id$v=19$t=1,m=4096,p=1${tail}`,
      `$scrypt$ln=30,r=8,p=1${tail}`,
      `$scrypt$ln=0,r=8,p=1${tail}`,
      '$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$',
    ]) {
      assert.throws(() => parsePasswordHash(text), PasswordHashError, text);
    }
  });

  it('of any text are read or refused, never worse', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120 }), (text) => {
        for (const candidate of [text, `$argon2id$${text}`, `$scrypt$${text}`]) {
          try {
            parsePasswordHash(candidate);
          } catch (error) {
            assert.ok(error instanceof PasswordHashError);
          }
        }
      }),
    );
  });
});

describe('back-off', () => {
  const start = new Date('2026-03-01T00:00:00Z');
  const options = { freeFailures: 3, firstDelayMs: 1_000, maximumDelayMs: 8_000, forgetAfterMs: 60_000 };

  it('lets some failures pass, then doubles the time', () => {
    const clock = createManualClock(start);
    const backOff = new BackOff({ ...options, clock });
    for (let i = 0; i < 3; i++) backOff.fail('a');
    assert.equal(backOff.remainingMs('a'), 0);
    for (const expected of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      backOff.fail('a');
      assert.equal(backOff.remainingMs('a'), expected);
      clock.advance(expected);
      assert.equal(backOff.remainingMs('a'), 0);
    }
    assert.equal(backOff.remainingMs('b'), 0);
  });

  it('forgets after a success, and after a while', () => {
    const clock = createManualClock(start);
    const backOff = new BackOff({ ...options, clock });
    for (let i = 0; i < 5; i++) backOff.fail('a');
    backOff.succeed('a');
    backOff.fail('a');
    assert.equal(backOff.remainingMs('a'), 0);
    for (let i = 0; i < 5; i++) backOff.fail('b');
    clock.advance(60_001);
    backOff.fail('b');
    assert.equal(backOff.remainingMs('b'), 0);
  });

  it('does not grow without bound', () => {
    const backOff = new BackOff({ ...options, maximumKeys: 2, clock: createManualClock(start) });
    for (let i = 0; i < 4; i++) backOff.fail('a');
    backOff.fail('b');
    backOff.fail('c');
    assert.equal(backOff.remainingMs('a'), 0);
  });
});

describe('RFC 7617: Basic', () => {
  const clock = createManualClock(new Date('2026-03-01T00:00:00Z'));

  async function scheme(overrides: object = {}) {
    const password = await hashPassword('pw', 'scrypt');
    const users = holdUsers(usersFileSchema.parse({ users: [{ name: 'alice', password, ...overrides }] }).users);
    const times = { freeFailures: 2, firstDelayMs: 5_000, maximumDelayMs: 60_000, forgetAfterMs: 60_000, clock };
    const guard = createGuard(new BackOff(times), new BackOff({ ...times, freeFailures: 100 }));
    const basic = await createBasicScheme({ realm: 'r', users, guard, clock });
    return (name: string, secret: string) =>
      basic.verify({
        credentials: { kind: 'token', scheme: 'basic', token: Buffer.from(`${name}:${secret}`).toString('base64') },
        method: 'POST',
        target: '/',
        address: '192.0.2.1',
      });
  }

  it('accepts the right password, again and again, and refuses wrong ones and unknown users', async () => {
    const verify = await scheme();
    assert.equal((await verify('alice', 'pw')).ok, true);
    assert.equal((await verify('alice', 'pw')).ok, true);
    assert.deepEqual(await verify('alice', 'no'), { ok: false, reason: 'wrong password' });
    assert.deepEqual(await verify('bob', 'pw'), { ok: false, reason: 'unknown user' });
  });

  it('refuses an expired password and a disabled user', async () => {
    assert.equal((await (await scheme({ expires: '2026-02-28T00:00:00Z' }))('alice', 'pw')).ok, false);
    assert.equal((await (await scheme({ isDisabled: true }))('alice', 'pw')).ok, false);
  });

  it('shuts guessing out, but not the client whose password was verified before', async () => {
    const verify = await scheme();
    assert.equal((await verify('alice', 'pw')).ok, true);
    for (const guess of ['a', 'b', 'c']) assert.equal((await verify('alice', guess)).ok, false);
    await assert.rejects(
      verify('alice', 'd'),
      (error) => error instanceof EstError && error.code === 'too-many-requests',
    );
    assert.equal((await verify('alice', 'pw')).ok, true);
  });
});
