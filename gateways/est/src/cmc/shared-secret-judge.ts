// Judges what clients prove by a shared secret. An unknown user costs the same as a wrong secret, guesses are slowed down
// as those of passwords are, and no secret leaves this file.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import { judge } from '../basic.ts';
import type { CredentialVerdict, Guard } from '../credentials.ts';
import type { SharedSecrets } from '../shared-secrets.ts';
import type { User, Users } from '../users.ts';
import type { Witness } from './controls.ts';
import { isWitness } from './keyed-digest.ts';

/** What is judged by shared secrets. */
export type SharedSecretJudge = {
  /**
   * Whether the witness over `message` was made with the secret of the user.
   *
   * @param suffix octets that follow the secret in the hash, RFC 5272 §6.2.3
   * @throws {EstError} `too-many-requests` while the user or the address is shut out
   */
  verifyIdentity(claim: IdentityClaim): CredentialVerdict;
  /** The same for a user that is known already; undefined when it has no secret. */
  isLinked(user: User, witness: Witness, message: Uint8Array): boolean | undefined;
  /** Whether this is the secret with which the user revokes. @throws {EstError} `too-many-requests` */
  isRevocationSecret(user: string, secret: Uint8Array, address: string): boolean;
};

/** Who claims to be a user, and by what. */
export type IdentityClaim = Witness & {
  readonly user: string;
  readonly suffix: Uint8Array;
  readonly message: Uint8Array;
  readonly address: string;
};

/** What {@link createSharedSecretJudge} takes. */
export type SharedSecretJudgeOptions = {
  readonly secrets: SharedSecrets;
  readonly users: Users;
  readonly guard: Guard;
  readonly clock: Clock;
};

/** Makes the judge. */
export function createSharedSecretJudge({ secrets, users, guard, clock }: SharedSecretJudgeOptions): SharedSecretJudge {
  // What an unknown user is measured against.
  const decoy = randomBytes(32).toString('hex');
  return {
    verifyIdentity: ({ user: name, suffix, message, address, digest, witness }) => {
      guard.admit(name, address);
      const user = users.find(name);
      const secret = user === undefined ? undefined : secrets.find(name)?.identity;
      const key = Buffer.concat([Buffer.from(secret ?? decoy, 'utf8'), suffix]);
      const matches = isWitness(digest, key, message, witness);
      key.fill(0);
      if (user === undefined || secret === undefined || !matches) {
        guard.failed(name, address);
        return { ok: false, reason: secret === undefined ? 'no such user or shared secret' : 'wrong shared secret' };
      }
      guard.succeeded(name, address);
      return judge(user, clock);
    },
    isLinked: ({ name }, { digest, witness }, message) => {
      const secret = secrets.find(name)?.identity;
      if (secret === undefined) return undefined;
      return isWitness(digest, Buffer.from(secret, 'utf8'), message, witness);
    },
    isRevocationSecret: (name, given, address) => {
      guard.admit(name, address);
      const secret = secrets.find(name)?.revocation;
      const isRight = isSame(Buffer.from(secret ?? decoy, 'utf8'), given) && secret !== undefined;
      if (isRight) guard.succeeded(name, address);
      else guard.failed(name, address);
      return isRight;
    },
  };
}

// By digests of one length: the time tells nothing of the secret's.
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [a, b].map((value) => createHash('sha256').update(value).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
