// What a key of an external account allows the accounts that were made with it: names, profiles, and names for which no
// challenge is needed. It narrows what an account may order, and is judged anew for each order and each finalization.

import { parseIpAddress, parseIpRange } from '@gatehouse/pkix/ip-address';
import { z } from 'zod';
import { AcmeError } from './errors.ts';
import type { AcmeGate } from './gate.ts';
import type { Identifier } from './problem.ts';
import type { Account } from './state/accounts.ts';
import { readExternalAccountKey } from './state/external-account-keys.ts';

const hostName = z
  .string()
  .regex(/^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/, 'must be a name of lower-case A-labels');

const namesSchema = z.strictObject({
  /** These names and no others. */
  exact: z.array(hostName).default([]),
  /** Each of these and all names below it. */
  suffixes: z.array(hostName).default([]),
  /** Whether `*.` may stand before a name that is allowed. */
  wildcards: z.boolean().default(false),
  /** Addresses in these ranges: `192.0.2.0/24`. */
  ipRanges: z
    .array(z.string().refine((text) => parseIpRange(text) !== undefined, "must be a range like '192.0.2.0/24'"))
    .default([]),
});

/** Schema of a policy, as it is stored. */
export const externalAccountPolicySchema = z.strictObject({
  /** What may be ordered; everything unless told. */
  names: namesSchema.optional(),
  /** ACME profiles that may be used; all unless told. */
  profiles: z.array(z.string()).optional(),
  /** Names whose authorizations are born valid, in profiles that do not demand a validation; none unless told. */
  preAuthorized: namesSchema.optional(),
});

/** A policy. */
export type ExternalAccountPolicy = z.output<typeof externalAccountPolicySchema>;

/** Names that a policy speaks of. */
export type NamePatterns = z.output<typeof namesSchema>;

/**
 * Whether a policy lets an identifier be ordered under a profile.
 *
 * @param identifier in canonical form, wildcards with their `*.`
 */
export function externalAccountAllows(policy: ExternalAccountPolicy, identifier: Identifier, profile: string): boolean {
  return (
    externalAccountAllowsProfile(policy, profile) && (policy.names === undefined || matches(policy.names, identifier))
  );
}

/** Whether a policy lets a profile be used. */
export function externalAccountAllowsProfile(policy: ExternalAccountPolicy, profile: string): boolean {
  return policy.profiles === undefined || policy.profiles.includes(profile);
}

/** Whether an identifier needs no challenge. */
export function isPreAuthorized(policy: ExternalAccountPolicy, identifier: Identifier): boolean {
  return policy.preAuthorized !== undefined && matches(policy.preAuthorized, identifier);
}

/**
 * The policy of an account as it is now; undefined for an account without an external one.
 *
 * @throws {AcmeError} `unauthorized` when the key was revoked
 */
export async function readExternalAccountPolicy(
  { store }: Pick<AcmeGate, 'store'>,
  account: Pick<Account, 'externalAccount'>,
): Promise<ExternalAccountPolicy | undefined> {
  if (account.externalAccount === undefined) return undefined;
  const key = await readExternalAccountKey(store, account.externalAccount);
  if (key === undefined || key.revokedAt !== undefined) {
    throw new AcmeError('unauthorized', 'the external account of this account was revoked');
  }
  return externalAccountPolicySchema.parse(JSON.parse(key.policy));
}

function matches(patterns: NamePatterns, { type, value }: Identifier): boolean {
  if (type === 'ip') return isInRanges(value, patterns.ipRanges);
  const isWildcard = value.startsWith('*.');
  if (isWildcard && !patterns.wildcards) return false;
  const name = isWildcard ? value.slice(2) : value;
  return (
    patterns.exact.includes(name) || patterns.suffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))
  );
}

function isInRanges(text: string, ranges: readonly string[]): boolean {
  const octets = parseIpAddress(text);
  if (octets === undefined) return false;
  return ranges.some((range) => {
    const { address, mask } = parseIpRange(range) ?? {};
    if (address === undefined || mask === undefined || address.length !== octets.length) return false;
    return octets.every((octet, i) => (octet & (mask[i] ?? 0)) === address[i]);
  });
}
