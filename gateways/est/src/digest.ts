// HTTP Digest with SHA-256 and qop=auth, RFC 7616. Nonces are this process's own (an authenticated time stamp) and each
// nonce count is good once; MD5 and requests without qop are refused, as RFC 7616 allows them only for old peers.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import { judge } from './basic.ts';
import type { AuthenticationScheme, CredentialVerdict, Guard } from './credentials.ts';
import type { Users } from './users.ts';

/** What {@link createDigestScheme} takes. */
export type DigestOptions = {
  readonly realm: string;
  readonly users: Users;
  readonly guard: Guard;
  readonly clock: Clock;
  /** Life of a nonce; five minutes unless told. */
  readonly nonceLifeMs?: number | undefined;
};

const maximumNonces = 10_000;
const refused = (reason: string): CredentialVerdict => ({ ok: false, reason });
const stale: CredentialVerdict = { ok: false, reason: 'stale nonce', isStale: true };

/** Makes the scheme. */
export function createDigestScheme(options: DigestOptions): AuthenticationScheme {
  const { realm, users, guard, clock } = options;
  const nonces = createNonces(clock, options.nonceLifeMs ?? 300_000);
  return {
    name: 'digest',
    challenge: (isStale) =>
      `Digest realm="${realm}", qop="auth", algorithm=SHA-256, nonce="${nonces.issue()}", charset=UTF-8${isStale ? ', stale=true' : ''}`,
    verify: async ({ credentials, method, target, address }) => {
      if (credentials.kind !== 'parameters') return refused('malformed Digest credentials');
      const get = (name: string): string => credentials.parameters.get(name) ?? '';
      const name = readUserName(credentials.parameters);
      if (name === undefined || get('realm') !== realm) return refused('no user of this realm');
      // Absent, the algorithm is MD5 (RFC 7616 §3.3).
      if (get('algorithm').toUpperCase() !== 'SHA-256') return refused('an algorithm other than SHA-256');
      if (get('qop') !== 'auth' || get('cnonce') === '' || !/^[0-9a-f]{8}$/i.test(get('nc'))) {
        return refused('no qop=auth with cnonce and nc');
      }
      // RFC 7616 §3.4.6: the digest of another resource must not open this one.
      if (get('uri') !== target) return refused('uri is not the request target');

      guard.admit(name, address);
      const user = users.find(name);
      const secret = user?.digest ?? 'unknown';
      const response = sha256(
        [secret, get('nonce'), get('nc'), get('cnonce'), 'auth', sha256(`${method}:${target}`)].join(':'),
      );
      const matches = isEqual(response, get('response').toLowerCase());
      if (user?.digest === undefined || !matches) {
        guard.failed(name, address);
        return refused(user === undefined ? 'unknown user' : 'wrong password, or none for Digest');
      }
      guard.succeeded(name, address);
      if (!nonces.spend(get('nonce'), Number.parseInt(get('nc'), 16))) return stale;
      return judge(user, clock);
    },
  };
}

// RFC 7616 §3.4: `username`, or `username*` in the notation of RFC 8187 for what is not ASCII.
function readUserName(parameters: ReadonlyMap<string, string>): string | undefined {
  const plain = parameters.get('username');
  const extended = parameters.get('username*');
  if (plain !== undefined) return extended === undefined ? plain : undefined;
  const encoded = /^utf-8''(.*)$/i.exec(extended ?? '')?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

type Nonces = {
  issue(): string;
  /** Whether the nonce is one of ours, alive, and this count is higher than all before. */
  spend(nonce: string, count: number): boolean;
};

// time (6 octets) ‖ random (10) ‖ the first 16 octets of HMAC-SHA-256 over both.
function createNonces(clock: Clock, lifeMs: number): Nonces {
  const key = randomBytes(32);
  const counts = new Map<string, number>();
  const seal = (body: Uint8Array): Buffer => createHmac('sha256', key).update(body).digest().subarray(0, 16);
  return {
    issue: () => {
      const body = Buffer.alloc(16);
      body.writeUIntBE(clock.now().getTime(), 0, 6);
      randomBytes(10).copy(body, 6);
      return Buffer.concat([body, seal(body)]).toString('base64url');
    },
    spend: (nonce, count) => {
      const bytes = Buffer.from(nonce, 'base64url');
      if (bytes.length !== 32 || bytes.toString('base64url') !== nonce) return false;
      const body = bytes.subarray(0, 16);
      if (!timingSafeEqual(seal(body), bytes.subarray(16))) return false;
      const age = clock.now().getTime() - body.readUIntBE(0, 6);
      if (age < 0 || age > lifeMs || count <= (counts.get(nonce) ?? 0)) return false;
      counts.delete(nonce);
      // A nonce that is forgotten could be used again: the map holds more than a life's worth, else all are void.
      if (counts.size >= maximumNonces) {
        key.set(randomBytes(32));
        counts.clear();
      } else counts.set(nonce, count);
      return true;
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
