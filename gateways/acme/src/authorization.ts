// Authorizations as clients see them (RFC 8555 §7.1.4, §7.5): one name with the challenges that may show control of it. One
// that is decided shows only the challenge that decided it, and never the status `processing`.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { challengeStatus, writeChallenge } from './challenge-object.ts';
import { AcmeError, notFound } from './errors.ts';
import type { AcmeAnswer, Operation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import type { Account } from './state/accounts.ts';
import {
  type Authorization,
  deactivateAuthorization,
  readAuthorization,
  StateChangedError,
} from './state/authorizations.ts';
import type { AuthorizationStatus } from './state/database.ts';
import { invalidateOrdersUsing } from './state/orders.ts';
import { removeStatements } from './state/statements.ts';
import { storeProblem } from './stored-problem.ts';
import { formatTimestamp } from './timestamp.ts';

/** POST-as-GET of an authorization, and its deactivation (RFC 8555 §7.5.2). */
export const authorization: Operation = async (gate, exchange, { id }) => {
  const found = await readOwnAuthorization(gate, exchange.account, id);
  if (exchange.payload === undefined) return answerAuthorization(gate, exchange.base, found, exchange.account);
  if (exchange.payload.status !== 'deactivated') {
    const detail = 'an authorization can only be read, or be deactivated by \'{"status":"deactivated"}\'';
    throw new AcmeError('malformed', detail);
  }
  const status = authorizationStatus(found, gate.clock.now());
  if (status === 'deactivated') return answerAuthorization(gate, exchange.base, found, exchange.account);
  if (status !== 'pending' && status !== 'valid') {
    throw new AcmeError('malformed', `the authorization is ${status}; one that is pending or valid can be deactivated`);
  }
  const name = found.identifier.value;
  const error = storeProblem({ type: 'unauthorized', detail: `the authorization for ${name} was deactivated` });
  try {
    await exchange.commit([
      deactivateAuthorization(found.id),
      removeStatements(found.id),
      invalidateOrdersUsing(found.accountId, found.id, gate.clock.now(), error),
    ]);
  } catch (caught) {
    // It was decided meanwhile, and the answer says how.
    if (!(caught instanceof StateChangedError)) throw caught;
  }
  const current = await readOwnAuthorization(gate, exchange.account, id);
  return answerAuthorization(gate, exchange.base, current, exchange.account);
};

/**
 * The authorization of this id, if it is this account's.
 *
 * @throws {AcmeError} 404 `malformed`; a foreign one looks like none
 */
export async function readOwnAuthorization(
  { store }: Pick<AcmeGate, 'store'>,
  account: Pick<Account, 'id'>,
  id: string | undefined,
): Promise<Authorization> {
  const found = id === undefined ? undefined : await readAuthorization(store, id);
  if (found === undefined || found.accountId !== account.id) throw notFound('authorization');
  return found;
}

/** Its status now (RFC 8555 §7.1.6). */
export function authorizationStatus(
  { status, expiresAt }: Pick<Authorization, 'status' | 'expiresAt'>,
  now: Date,
): AuthorizationStatus {
  return (status === 'pending' || status === 'valid') && expiresAt <= now ? 'expired' : status;
}

/** Answers with an authorization; `base` is that of the request. */
export function answerAuthorization(
  gate: Pick<AcmeGate, 'urls' | 'clock' | 'profiles' | 'configuration'>,
  base: string,
  found: Authorization,
  account: Account,
  status = 200,
): AcmeAnswer {
  const current = authorizationStatus(found, gate.clock.now());
  return {
    status,
    body: writeAuthorization(gate, base, found, account, current),
    location: status === 201 ? gate.urls.authorization(base, found.id) : undefined,
    retryAfterSeconds:
      current === 'pending' && found.method !== undefined && challengeStatus(found, found.method) === 'processing'
        ? gate.configuration.pollAfter.authorization / 1_000
        : undefined,
  };
}

function writeAuthorization(
  gate: Pick<AcmeGate, 'urls' | 'profiles'>,
  base: string,
  found: Authorization,
  account: Account,
  status: AuthorizationStatus,
): JsonObject {
  const { identifier, method, methods, validatedAt } = found;
  const isDecided = found.status !== 'pending' && validatedAt !== undefined;
  const shown = isDecided ? methods.filter((type) => type === method) : methods;
  return {
    identifier: { type: identifier.type, value: identifier.value },
    status,
    expires: formatTimestamp(found.expiresAt),
    challenges: shown.map((type) => writeChallenge(gate, base, found, account, type)),
    wildcard: identifier.isWildcard ? true : undefined,
  };
}
