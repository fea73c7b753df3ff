// HTTP Basic, RFC 7617, over TLS. Hashing a password costs what it should cost a guesser; so that a client that comes
// often does not pay it each time, a verified pair is remembered for minutes as a keyed digest, never as it is.

import { createHmac, randomBytes } from 'node:crypto';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Credentials } from './authorization.ts';
import type { AuthenticationScheme, CredentialVerdict, Guard } from './credentials.ts';
import { hashPassword, type PasswordHash, parsePasswordHash, verifyPassword } from './password-hash.ts';
import type { User, Users } from './users.ts';

/** What {@link createBasicScheme} takes. */
export type BasicOptions = {
  readonly realm: string;
  readonly users: Users;
  readonly guard: Guard;
  readonly clock: Clock;
  /** For how long a verified pair is remembered; five minutes unless told. */
  readonly rememberMs?: number | undefined;
};

/** Hashes that are computed at the same time, and that may wait: each takes tens of megabytes. */
const maximumConcurrent = 2;
const maximumWaiting = 64;
const maximumRemembered = 10_000;

const refused = (reason: string): CredentialVerdict => ({ ok: false, reason });

/** Makes the scheme. */
export async function createBasicScheme(options: BasicOptions): Promise<AuthenticationScheme> {
  const { realm, users, guard, clock, rememberMs = 300_000 } = options;
  const queue = createQueue();
  // What an unknown user is measured against: the answer must take as long as for a known one.
  const decoy = parsePasswordHash(await hashPassword(randomBytes(16).toString('hex')));
  const processKey = randomBytes(32);
  const remembered = new Map<string, number>();
  let generation = users.generation();

  // The stored hash is part of the digest: a changed password is another pair.
  const digestOf = (user: User, password: string): string =>
    createHmac('sha256', processKey)
      .update(JSON.stringify([user.name, user.secretId, password]))
      .digest('base64');

  const isRemembered = (digest: string): boolean => {
    if (generation !== users.generation()) {
      generation = users.generation();
      remembered.clear();
    }
    return (remembered.get(digest) ?? 0) > clock.now().getTime();
  };

  const remember = (digest: string): void => {
    remembered.delete(digest);
    if (remembered.size >= maximumRemembered) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    remembered.set(digest, clock.now().getTime() + rememberMs);
  };

  const isRight = (hash: PasswordHash, password: string): Promise<boolean> =>
    queue(() => verifyPassword(hash, password));

  return {
    name: 'basic',
    challenge: () => `Basic realm="${realm}", charset="UTF-8"`,
    verify: async ({ credentials, address }) => {
      const pair = readBasic(credentials);
      if (pair === undefined) return refused('malformed Basic credentials');
      const user = users.find(pair.name);
      const digest = user === undefined ? undefined : digestOf(user, pair.password);
      if (user !== undefined && digest !== undefined && isRemembered(digest)) return judge(user, clock);

      guard.admit(pair.name, address);
      const matches = await isRight(user?.password ?? decoy, pair.password);
      if (user?.password === undefined || !matches) {
        guard.failed(pair.name, address);
        return refused(user === undefined ? 'unknown user' : 'wrong password');
      }
      guard.succeeded(pair.name, address);
      remember(digest ?? '');
      return judge(user, clock);
    },
  };
}

/** Whether a user whose secret was right may come in now. */
export function judge(user: User, clock: Clock): CredentialVerdict {
  if (user.expires !== undefined && user.expires.getTime() <= clock.now().getTime()) {
    return refused('the password has expired');
  }
  return { ok: true, holder: { kind: 'user', user } };
}

/**
 * User name and password of Basic credentials, RFC 7617 §2.
 *
 * @returns undefined when they are not base64 of UTF-8 with a colon, or hold control characters
 */
export function readBasic(credentials: Credentials): { readonly name: string; readonly password: string } | undefined {
  if (credentials.kind !== 'token' || !/^[A-Za-z0-9+/]+={0,2}$/.test(credentials.token)) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(credentials.token, 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 1 || colon > 128 || text.length > 2048 || /\p{Cc}/u.test(text)) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

type Queue = <T>(task: () => Promise<T>) => Promise<T>;

function createQueue(): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= maximumConcurrent) {
      if (waiting.length >= maximumWaiting) {
        throw new EstError('too-many-requests', 'too many passwords to check', { retryAfterSeconds: 2 });
      }
      // Whoever finishes hands its place over; `running` does not change.
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await promise;
    } else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
