// Answering a challenge (RFC 8555 §7.5.1): the client says that it is ready, gets its answer at once, and the validation goes
// on outside of the request. The lease of the validation is taken in the same commit, so that the work is this copy's; a
// second request starts nothing.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { authorizationStatus, readOwnAuthorization } from './authorization.ts';
import { challengeStatus, writeChallenge } from './challenge-object.ts';
import { type ChallengeType, challengeTypes } from './config.ts';
import { AcmeError, notFound } from './errors.ts';
import type { AccountExchange, AcmeAnswer, Operation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { type Authorization, StateChangedError } from './state/authorizations.ts';
import { attemptChallenge } from './state/validations.ts';
import { newValidationLease } from './validation-job.ts';

/** POST-as-GET of a challenge, and the word that it can be validated. */
export const challenge: Operation = async (gate, exchange, { id, type }) => {
  const authorization = await readOwnAuthorization(gate, exchange.account, id);
  const method = challengeTypes.find((known) => known === type && authorization.methods.includes(known));
  if (method === undefined) throw notFound('challenge');
  if (exchange.payload === undefined) return answerChallenge(gate, exchange, authorization, method);
  judgePayload(gate, exchange, exchange.payload, authorization);
  if (authorization.method === undefined && authorization.status === 'pending') {
    judgeTime(gate, authorization);
    if (await attempt(gate, exchange, authorization, method)) {
      return answerChallenge(gate, exchange, { ...authorization, method, thumbprint: exchange.thumbprint }, method);
    }
  }
  const current = await readOwnAuthorization(gate, exchange.account, id);
  return answerChallenge(gate, exchange, current, method);
};

// RFC 8555 §7.5.1: the payload is `{}`. Clients of drafts sent the key authorization along, and boulder's first API a
// `resource`; neither says anything that is not known.
function judgePayload(
  { configuration }: AcmeGate,
  { thumbprint }: AccountExchange,
  payload: JsonObject,
  { token }: Authorization,
): void {
  const members = Object.keys(payload);
  if (configuration.strict && members.length > 0) {
    throw new AcmeError('malformed', `the payload of a challenge must be {}; it has '${members[0]}' (RFC 8555 §7.5.1)`);
  }
  const given = payload.keyAuthorization;
  if (given !== undefined && given !== `${token}.${thumbprint}`) {
    throw new AcmeError('malformed', "'keyAuthorization' is not that of this challenge and this account key");
  }
}

function judgeTime({ clock, configuration }: AcmeGate, authorization: Authorization): void {
  const now = clock.now();
  const tokenEnd = authorization.createdAt.getTime() + configuration.challengeTokenLife;
  if (authorizationStatus(authorization, now) === 'expired' || tokenEnd <= now.getTime()) {
    throw new AcmeError('malformed', 'the authorization has expired; make another order');
  }
}

/** @returns whether this request was the first one */
async function attempt(
  gate: AcmeGate,
  exchange: AccountExchange,
  { id }: Authorization,
  method: ChallengeType,
): Promise<boolean> {
  const lease = newValidationLease(gate);
  try {
    await exchange.commit([attemptChallenge(id, method, exchange.thumbprint, lease)]);
  } catch (error) {
    if (error instanceof StateChangedError) return false;
    throw error;
  }
  exchange.note({ authz: id, challenge: method });
  gate.jobs.wakeValidation(id, exchange.account.id);
  return true;
}

function answerChallenge(
  gate: AcmeGate,
  { base, account }: AccountExchange,
  authorization: Authorization,
  type: ChallengeType,
): AcmeAnswer {
  return {
    status: 200,
    body: writeChallenge(gate, base, authorization, account, type),
    links: [{ url: gate.urls.authorization(base, authorization.id), rel: 'up' }],
    retryAfterSeconds:
      challengeStatus(authorization, type) === 'processing'
        ? gate.configuration.pollAfter.authorization / 1_000
        : undefined,
  };
}
