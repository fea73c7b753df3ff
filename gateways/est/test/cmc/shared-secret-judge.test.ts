import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { BackOff } from '../../src/back-off.ts';
import { createSharedSecretJudge } from '../../src/cmc/shared-secret-judge.ts';
import { createGuard } from '../../src/credentials.ts';
import { parseSharedSecrets } from '../../src/shared-secrets.ts';
import { holdUsers, usersFileSchema } from '../../src/users.ts';
import { macOf } from '../support/cmc.ts';

const secret = 'sixteen characters';
const message = Buffer.from('requests');
const digest = { hash: 'sha256', mac: 'sha256' } as const;

function makeJudge() {
  const clock = { now: () => new Date('2026-06-01T00:00:00Z') };
  const times = { freeFailures: 2, firstDelayMs: 1_000, maximumDelayMs: 60_000, forgetAfterMs: 60_000, clock };
  const { users } = usersFileSchema.parse({
    users: [{ name: 'alice' }, { name: 'late', expires: '2026-05-31T00:00:00Z' }, { name: 'off', isDisabled: true }],
  });
  const secrets = parseSharedSecrets(
    ['alice', 'late', 'off', 'gone']
      .map((user) => `- { user: ${user}, identity: ${secret}, revocation: lost ${secret} }`)
      .join('\n  ')
      .replace(/^/, 'secrets:\n  '),
    'shared-secrets.yaml',
  );
  return createSharedSecretJudge({
    secrets: { find: (user) => secrets.get(user), close: () => {} },
    users: holdUsers(users),
    guard: createGuard(new BackOff(times), new BackOff({ ...times, freeFailures: 100 })),
    clock,
  });
}

const claim = (user: string, of: string = secret) => ({
  user,
  digest,
  message,
  suffix: Buffer.from(user),
  witness: macOf(of + user, message, 'sha256'),
  address: '192.0.2.1',
});

describe('RFC 5272 §6.2: users with a shared secret', () => {
  it('are who they say by a witness over the message', () => {
    const verdict = makeJudge().verifyIdentity(claim('alice'));
    assert.ok(verdict.ok && verdict.holder.kind === 'user' && verdict.holder.user.name === 'alice');
  });

  it('are nobody when they are disabled, expired, or not in users.yaml', () => {
    for (const user of ['off', 'late', 'gone', 'unknown'])
      assert.equal(makeJudge().verifyIdentity(claim(user)).ok, false);
  });

  it('are shut out for a while after wrong witnesses and wrong secrets, right ones too', () => {
    const judge = makeJudge();
    for (let i = 0; i < 2; i++) assert.equal(judge.verifyIdentity(claim('alice', 'another secret')).ok, false);
    assert.equal(judge.isRevocationSecret('alice', Buffer.from(secret), '192.0.2.1'), false);
    const isShutOut = (error: unknown) => error instanceof EstError && error.code === 'too-many-requests';
    assert.throws(() => judge.verifyIdentity(claim('alice')), isShutOut);
    assert.throws(() => judge.isRevocationSecret('alice', Buffer.from(`lost ${secret}`), '192.0.2.1'), isShutOut);
  });

  it('revoke by their other secret alone', () => {
    const judge = makeJudge();
    assert.equal(judge.isRevocationSecret('alice', Buffer.from(`lost ${secret}`), '192.0.2.1'), true);
    assert.equal(judge.isRevocationSecret('alice', Buffer.from(secret), '192.0.2.1'), false);
    assert.equal(judge.isRevocationSecret('unknown', Buffer.from(secret), '192.0.2.1'), false);
  });
});
