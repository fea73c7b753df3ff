// Validations as they are stored: which challenge of an authorization was attempted, who works on it, and what became of it. Every
// change is a compare-and-swap on the status and on the lease, so that a worker that lost its lease changes nothing.

import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import type { ChallengeType } from '../config.ts';
import { type Authorization, type Lease, StateChangedError, toAuthorization } from './authorizations.ts';
import type { AuthorizationStatus, AuthorizationTable } from './database.ts';
import { compileQuery, slot } from './queries.ts';

type Row = Selectable<AuthorizationTable>;

const selectUnattended = compileQuery((database) =>
  database
    .selectFrom('authorizations')
    .select('id')
    .where('lease_until', '<', slot<number>(0))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('method', 'is not', null)
    .orderBy('lease_until')
    .limit(slot<number>(1)),
);

const attempt = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({ method: slot(0), thumbprint: slot(1), lease_owner: slot(2), lease_until: slot(3) })
    .where('id', '=', slot<string>(4))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('method', 'is', null),
);

// What another copy left goes to whoever comes first after the lease ended.
const takeOver = compileQuery<Row>((database) =>
  database
    .updateTable('authorizations')
    .set({ lease_owner: slot(0), lease_until: slot(1) })
    .where('id', '=', slot<string>(2))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('method', 'is not', null)
    .where('lease_until', '<', slot<number>(3))
    .returningAll(),
);

const renew = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({ lease_until: slot(0) })
    .where('id', '=', slot<string>(1))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('lease_owner', '=', slot<string>(2))
    .returning('id'),
);

const validate = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({
      status: sql.lit<AuthorizationStatus>('valid'),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
      validated_at: slot(0),
      expires_at: slot(1),
    })
    .where('id', '=', slot<string>(2))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('lease_owner', '=', slot<string>(3)),
);

const invalidate = compileQuery((database) =>
  database
    .updateTable('authorizations')
    .set({
      status: sql.lit<AuthorizationStatus>('invalid'),
      lease_owner: sql.lit(null),
      lease_until: sql.lit(null),
      error: slot(0),
      validated_at: slot(1),
    })
    .where('id', '=', slot<string>(2))
    .where('status', '=', sql.lit<AuthorizationStatus>('pending'))
    .where('lease_owner', '=', slot<string>(3)),
);

/** Ids of validations whose lease ended before `now`: whoever had them is gone. */
export async function listUnattended(store: StateStore, now: Date, limit: number): Promise<readonly string[]> {
  return (await store.all(selectUnattended, now.getTime(), limit)).map(({ id }) => id);
}

/** A challenge is attempted; its validation is leased from the start. Fails with {@link StateChangedError} when one was before. */
export function attemptChallenge(
  id: string,
  method: ChallengeType,
  thumbprint: string,
  { owner, until }: Lease,
): StateOperation {
  return {
    sql: attempt.sql,
    parameters: [method, thumbprint, owner, until.getTime(), id],
    expects: { rows: 1, otherwise: () => new StateChangedError('a challenge of this authorization was attempted') },
  };
}

/** Takes a validation over whose lease ended. @returns nothing when another one was first */
export async function takeValidation(
  store: StateStore,
  id: string,
  { owner, until }: Lease,
  now: Date,
): Promise<Authorization | undefined> {
  const [row] = await store.write<Row>(takeOver, owner, until.getTime(), id, now.getTime());
  return row === undefined ? undefined : toAuthorization(row);
}

/** Prolongs a lease. @returns whether it was still held */
export async function renewLease(store: StateStore, id: string, { owner, until }: Lease): Promise<boolean> {
  return (await store.write(renew, until.getTime(), id, owner)).length > 0;
}

/** The challenge and its authorization become valid. Fails with {@link StateChangedError} when the lease was lost. */
export function validateAuthorization(id: string, owner: string, validatedAt: Date, expiresAt: Date): StateOperation {
  return {
    sql: validate.sql,
    parameters: [validatedAt.getTime(), expiresAt.getTime(), id, owner],
    expects: { rows: 1, otherwise: leaseLost },
  };
}

/** The challenge and its authorization become invalid. Fails as {@link validateAuthorization}. @param error problem document, JSON */
export function invalidateAuthorization(id: string, owner: string, error: string, now: Date): StateOperation {
  return {
    sql: invalidate.sql,
    parameters: [error, now.getTime(), id, owner],
    expects: { rows: 1, otherwise: leaseLost },
  };
}

function leaseLost(): Error {
  return new StateChangedError('the lease of the validation was lost');
}
