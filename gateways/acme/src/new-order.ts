// newOrder (RFC 8555 §7.4): everything that is wrong is said at once and before anything is stored; then the order and its
// authorizations are made in one commit. Orders are never reused and pending authorizations never shared; a valid one of
// the same account serves as long as the profile lets it, and an order that has only such is born ready.

import { createHash } from 'node:crypto';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { DatabaseError } from '@gatehouse/runtime/database/error';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { AcmeError, refuseIdentifiers } from './errors.ts';
import type { AccountExchange, Operation } from './exchange.ts';
import {
  type ExternalAccountPolicy,
  externalAccountAllows,
  externalAccountAllowsProfile,
  readExternalAccountPolicy,
} from './external-account-policy.ts';
import type { AcmeGate } from './gate.ts';
import { authorizedIdentifier, type Identifier, maximumIdentifiers, readIdentifiers } from './identifier.ts';
import { isBornValid, makeAuthorization, methodsFor } from './make-authorization.ts';
import { answerOrder } from './order.ts';
import type { Subproblem } from './problem.ts';
import { type AcmeProfile, checkPeriod } from './profiles.ts';
import { alreadyReplaced, checkReplaces, type Replacement } from './renewal-information.ts';
import type { Account } from './state/accounts.ts';
import {
  type Authorization,
  insertAuthorization,
  type NewAuthorization,
  readReusable,
} from './state/authorizations.ts';
import { insertOrder, invalidateOrder, type NewOrder } from './state/orders.ts';
import { storeProblem } from './stored-problem.ts';
import { parseTimestamp } from './timestamp.ts';

/** What an order asks for, judged. */
type Wish = {
  readonly profile: AcmeProfile;
  readonly policy: ExternalAccountPolicy | undefined;
  readonly identifiers: readonly Identifier[];
  readonly notBefore: Date | undefined;
  readonly notAfter: Date | undefined;
  readonly replacement: Replacement | undefined;
};

/** Answers newOrder. */
export const newOrder: Operation = async (gate, exchange) => {
  const wish = await readWish(gate, exchange);
  const { profile, identifiers, replacement } = wish;
  const { account } = exchange;
  const now = wholeSecond(gate.clock.now());
  const names = identifiers.map((identifier) => authorizedIdentifier(identifier).value);
  const mayReuse = profile.reuseMs > 0 || gate.configuration.newAuthz;
  const [reusable] = await Promise.all([
    mayReuse ? findReusable(gate, account, profile, names, now) : new Map<string, Authorization>(),
    gate.rates.refuseFailing(account.id, names),
  ]);

  const id = newUnguessableId();
  const made: NewAuthorization[] = [];
  const used = identifiers.map((identifier): Authorization | NewAuthorization => {
    const valid = reusable.get(keyOf(identifier));
    if (valid !== undefined) return valid;
    const authorization = makeAuthorization(gate, { account, orderId: id, identifier, ...wish }, now);
    made.push(authorization);
    return authorization;
  });
  const pending = used.filter(({ status }) => status === 'pending').length;
  const order: NewOrder = {
    id,
    accountId: account.id,
    status: pending === 0 ? 'ready' : 'pending',
    identifiers,
    identifiersDigest: digestOf(identifiers),
    profile: profile.name,
    notBefore: wish.notBefore,
    notAfter: wish.notAfter,
    authorizations: used.map((authorization) => authorization.id),
    pendingAuthorizations: pending,
    replaces: replacement?.certId,
    createdAt: now,
    // An order does not outlive what it stands on.
    expiresAt: new Date(
      Math.min(
        now.getTime() + gate.configuration.orderLife,
        ...used.map(({ status, expiresAt }) => (status === 'valid' ? expiresAt.getTime() : Number.POSITIVE_INFINITY)),
      ),
    ),
  };
  await store(gate, exchange, order, made, replacement);
  exchange.note({ order: id, profile: profile.name, identifiers: identifiers.length });
  return answerOrder(gate, exchange.base, { ...order, ...nothingYet }, 201);
};

async function store(
  { rates }: AcmeGate,
  exchange: AccountExchange,
  order: NewOrder,
  authorizations: readonly NewAuthorization[],
  replacement: Replacement | undefined,
): Promise<void> {
  const over = storeProblem({ type: 'malformed', detail: 'the order expired before it was finalized' });
  try {
    await exchange.commit([
      // RFC 9773 §5: a renewal that the CA itself suggested is not limited.
      ...(replacement?.isDue === true ? [] : rates.forOrder(order)),
      ...(replacement?.expired ?? []).map((expired) => invalidateOrder(expired, over)),
      insertOrder(order),
      ...authorizations.map(insertAuthorization),
    ]);
  } catch (error) {
    // The only thing about it that another request can have taken is the certificate that it replaces.
    if (error instanceof DatabaseError && error.code === 'unique' && replacement !== undefined) throw alreadyReplaced();
    throw await rates.explain(error);
  }
}

async function readWish(gate: AcmeGate, { account, payload = {} }: AccountExchange): Promise<Wish> {
  const profile = gate.profiles.pick(readText(payload, 'profile'), account);
  const policy = await readExternalAccountPolicy(gate, account);
  if (policy !== undefined && !externalAccountAllowsProfile(policy, profile.name)) {
    throw new AcmeError('invalidProfile', `the external account of this account does not allow '${profile.name}'`);
  }
  const identifiers = judgeIdentifiers(payload.identifiers, profile, policy);
  const period = { notBefore: readTime(payload, 'notBefore'), notAfter: readTime(payload, 'notAfter') };
  checkPeriod(profile, period, gate.clock.now());
  const replaces = readText(payload, 'replaces');
  const replacement = replaces === undefined ? undefined : await checkReplaces(gate, account, identifiers, replaces);
  return { profile, policy, identifiers, ...period, replacement };
}

function judgeIdentifiers(
  value: unknown,
  profile: AcmeProfile,
  policy: ExternalAccountPolicy | undefined,
): readonly Identifier[] {
  const reading = readIdentifiers(value, profile.identifiers);
  if (reading === undefined) {
    const detail = `'identifiers' must be a list of 1 to ${maximumIdentifiers} objects with 'type' and 'value'`;
    throw new AcmeError('malformed', detail);
  }
  const problems = [
    ...reading.problems,
    ...reading.identifiers.flatMap((identifier) => judgeIdentifier(identifier, profile, policy) ?? []),
  ];
  if (problems.length > 0) throw refuseIdentifiers(problems);
  return reading.identifiers;
}

/** What the external account of the account, or the profile's challenges, say against a name; nothing for a good one. */
export function judgeIdentifier(
  identifier: Identifier,
  profile: AcmeProfile,
  policy: ExternalAccountPolicy | undefined,
): Subproblem | undefined {
  const refuse = (why: string): Subproblem => ({
    type: 'rejectedIdentifier',
    detail: `'${identifier.value}' ${why}`,
    identifier,
  });
  if (policy !== undefined && !externalAccountAllows(policy, identifier, profile.name)) {
    return refuse('is not allowed by the external account of this account');
  }
  if (!isBornValid(identifier, profile, policy) && methodsFor(identifier, profile).length === 0) {
    return refuse(`cannot be validated: none of the challenges of profile '${profile.name}' can show control of it`);
  }
  return undefined;
}

/** An order that has less time than this for its finalization is of no use. */
const leastLifeMs = 600_000;

// Only what is not older than the profile lets it be, and was shown by a challenge that the profile still offers. What was
// authorized before any order (RFC 8555 §7.4.1) serves until it expires: it was made for orders to come.
async function findReusable(
  { store }: AcmeGate,
  account: Account,
  profile: AcmeProfile,
  names: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, Authorization>> {
  const found = new Map<string, Authorization>();
  for (const authorization of await readReusable(store, account.id, profile.name, names, now)) {
    const { orderId, identifier, method, validatedAt, expiresAt } = authorization;
    const isYoung =
      profile.reuseMs > 0 && validatedAt !== undefined && validatedAt.getTime() + profile.reuseMs > now.getTime();
    const isUseful = expiresAt.getTime() - now.getTime() >= leastLifeMs;
    const isOffered = method !== undefined && profile.methods.includes(method);
    const key = `${identifier.type}:${identifier.isWildcard ? '*.' : ''}${identifier.value}`;
    if ((isYoung || orderId === undefined) && isUseful && isOffered && !found.has(key)) found.set(key, authorization);
  }
  return found;
}

function keyOf({ type, value }: Identifier): string {
  return `${type}:${value}`;
}

function digestOf(identifiers: readonly Identifier[]): string {
  return createHash('sha256').update(identifiers.map(keyOf).sort().join('\n')).digest('hex');
}

function readText(payload: JsonObject, member: 'profile' | 'replaces'): string | undefined {
  const value = payload[member];
  if (value === undefined || typeof value === 'string') return value;
  throw new AcmeError('malformed', `'${member}' must be a text`);
}

function readTime(payload: JsonObject, member: 'notBefore' | 'notAfter'): Date | undefined {
  const value = payload[member];
  if (value === undefined) return undefined;
  const time = parseTimestamp(value);
  if (time === undefined) throw new AcmeError('malformed', `'${member}' must be a time of RFC 3339 with its zone`);
  return time;
}

function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** An order that was just made. */
const nothingYet = {
  position: 0,
  error: undefined,
  finalize: undefined,
  finalizeJwk: undefined,
  certificationRequest: undefined,
  certificateId: undefined,
  leaseOwner: undefined,
  leaseUntil: undefined,
  attempts: 0,
  nextAttemptAt: undefined,
} as const;
