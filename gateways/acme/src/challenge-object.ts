// A challenge as clients see it (RFC 8555 §7.1.5, §8): a flat object with nothing in it that is called `value`, since some
// clients read it with regular expressions.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { ChallengeType } from './config.ts';
import type { AcmeGate } from './gate.ts';
import type { Account } from './state/accounts.ts';
import type { Authorization } from './state/authorizations.ts';
import { readStoredProblem } from './stored-problem.ts';
import { formatTimestamp } from './timestamp.ts';

/** RFC 8555 §7.1.6. */
export type ChallengeStatus = 'pending' | 'processing' | 'valid' | 'invalid';

/** The status of one challenge of an authorization. */
export function challengeStatus(
  { status, method, error, validatedAt }: Authorization,
  type: ChallengeType,
): ChallengeStatus {
  if (method !== type) return 'pending';
  if (error !== undefined) return 'invalid';
  if (validatedAt !== undefined) return 'valid';
  return status === 'pending' ? 'processing' : 'pending';
}

/** One challenge; `base` is that of the request. */
export function writeChallenge(
  { urls, profiles }: Pick<AcmeGate, 'urls' | 'profiles'>,
  base: string,
  authorization: Authorization,
  account: Account,
  type: ChallengeType,
): JsonObject {
  const status = challengeStatus(authorization, type);
  const { id, token, validatedAt, error } = authorization;
  return {
    type,
    url: urls.challenge(base, id, type),
    status,
    ...(type === 'dns-persist-01' ? persistMembers(profiles, authorization, account) : { token }),
    validated: status === 'valid' && validatedAt !== undefined ? formatTimestamp(validatedAt) : undefined,
    error: status === 'invalid' && error !== undefined ? readStoredProblem(error) : undefined,
  };
}

// draft-ietf-acme-dns-persist: no token; -01 tells the account's URL, -02 lets the client derive what the record holds.
function persistMembers(
  profiles: Pick<AcmeGate['profiles'], 'find'>,
  { profile: name }: Authorization,
  account: Account,
): JsonObject {
  const profile = profiles.find(name);
  const names = (profile?.rules?.issuerDomainNames ?? []).slice(0, 10);
  return profile?.settings.dnsPersist === 'draft-01'
    ? { 'issuer-domain-names': names, accounturi: account.url }
    : { issuerDomainNames: names };
}
