// An authorization for one name of a new order or of newAuthz (RFC 8555 §7.1.4): which challenges are offered for it, or that
// none is needed because the key of an external account authorised it beforehand.

import { randomBytes } from 'node:crypto';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import type { ChallengeType } from './config.ts';
import { type ExternalAccountPolicy, isPreAuthorized } from './external-account-policy.ts';
import type { AcmeGate } from './gate.ts';
import { authorizedIdentifier, type Identifier } from './identifier.ts';
import type { AcmeProfile } from './profiles.ts';
import type { Account } from './state/accounts.ts';
import type { NewAuthorization } from './state/authorizations.ts';

/** What an authorization is made for. */
export type AuthorizationWish = {
  readonly account: Account;
  /** Nothing for a pre-authorization. */
  readonly orderId: string | undefined;
  readonly identifier: Identifier;
  readonly profile: AcmeProfile;
  readonly policy: ExternalAccountPolicy | undefined;
};

/** Makes it; it is not stored yet. */
export function makeAuthorization(
  { configuration }: Pick<AcmeGate, 'configuration'>,
  { account, orderId, identifier, profile, policy }: AuthorizationWish,
  now: Date,
): NewAuthorization {
  const needsNothing = isBornValid(identifier, profile, policy);
  return {
    id: newUnguessableId(),
    accountId: account.id,
    orderId,
    status: needsNothing ? 'valid' : 'pending',
    identifier: authorizedIdentifier(identifier),
    profile: profile.name,
    // RFC 8555 §8.3: at least 128 bits.
    token: randomBytes(32).toString('base64url'),
    methods: needsNothing ? [] : methodsFor(identifier, profile),
    externalAccount: needsNothing ? account.externalAccount : undefined,
    createdAt: now,
    expiresAt: new Date(
      now.getTime() + (needsNothing ? configuration.orderLife : configuration.authorizationLife.pending),
    ),
  };
}

/**
 * Challenges by which control of an identifier can be shown: of a wildcard only in the DNS (RFC 8555 §7.1.4 with BR §3.2.2.4),
 * of an address never there (RFC 8738 §7). A persistent record has to name this CA, which must have a name for it.
 */
export function methodsFor(
  { type, value }: Identifier,
  { methods, rules }: Pick<AcmeProfile, 'methods' | 'rules'>,
): readonly ChallengeType[] {
  const isNamed = rules !== undefined && rules.issuerDomainNames.length > 0;
  const possible = isNamed ? methods : methods.filter((method) => method !== 'dns-persist-01');
  if (type === 'ip') return possible.filter((method) => method === 'http-01' || method === 'tls-alpn-01');
  return value.startsWith('*.') ? possible.filter((method) => method.startsWith('dns-')) : possible;
}

/** Whether a name needs no challenge: never where the keep wants it validated, since then nobody's word is enough. */
export function isBornValid(
  identifier: Identifier,
  { rules }: Pick<AcmeProfile, 'rules'>,
  policy: ExternalAccountPolicy | undefined,
): boolean {
  const demandsValidation = rules !== undefined && rules.mode !== 'off';
  return !demandsValidation && policy !== undefined && isPreAuthorized(policy, identifier);
}
