// newAuthz (RFC 8555 §7.4.1): an authorization before any order, under the rules of the default profile. Later orders of the account
// under it use it once it is valid, until it expires.

import { answerAuthorization } from './authorization.ts';
import { AcmeError, notFound, refuseIdentifiers } from './errors.ts';
import type { Operation } from './exchange.ts';
import { readExternalAccountPolicy } from './external-account-policy.ts';
import { readOneIdentifier } from './identifier.ts';
import { makeAuthorization } from './make-authorization.ts';
import { judgeIdentifier } from './new-order.ts';
import { insertAuthorization } from './state/authorizations.ts';

/** Answers newAuthz. */
export const newAuthorization: Operation = async (gate, exchange) => {
  const { account, payload = {} } = exchange;
  if (!gate.configuration.newAuthz) throw notFound('resource');
  const profile = gate.profiles.pick(undefined, account);
  const policy = await readExternalAccountPolicy(gate, account);
  const identifier = readOneIdentifier(payload.identifier, profile.identifiers);
  if (identifier === undefined) {
    throw new AcmeError('malformed', "'identifier' must be an object with 'type' and 'value'");
  }
  if ('detail' in identifier) throw refuseIdentifiers([identifier]);
  // RFC 8555 §7.4.1: wildcards are authorized by orders alone.
  if (identifier.value.startsWith('*.')) {
    const detail = `'${identifier.value}' is a wildcard; only an order can have it authorized (RFC 8555 §7.4.1)`;
    throw refuseIdentifiers([{ type: 'malformed', detail, identifier }]);
  }
  const refusal = judgeIdentifier(identifier, profile, policy);
  if (refusal !== undefined) throw refuseIdentifiers([refusal]);
  await gate.rates.refuseFailing(account.id, [identifier.value]);
  const now = gate.clock.now();
  const made = makeAuthorization(gate, { account, orderId: undefined, identifier, profile, policy }, now);
  await exchange.commit([insertAuthorization(made)]);
  exchange.note({ authz: made.id });
  return answerAuthorization(gate, exchange.base, { ...made, ...notAttempted }, account, 201);
};

/** An authorization that was just made. */
const notAttempted = {
  method: undefined,
  thumbprint: undefined,
  validatedAt: undefined,
  error: undefined,
  leaseOwner: undefined,
  leaseUntil: undefined,
} as const;
