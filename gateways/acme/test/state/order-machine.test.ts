// The state machines of acme.md §3 under random steps in random order, by copies of the gate that hold leases and lose them:
// nothing goes back, and nobody ever sees the last authorization valid beside a pending order.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import fc from 'fast-check';
import type { Account } from '../../src/state/accounts.ts';
import {
  type Authorization,
  deactivateAuthorization,
  insertAuthorization,
  readAuthorizations,
  StateChangedError,
} from '../../src/state/authorizations.ts';
import type { AuthorizationStatus, OrderStatus } from '../../src/state/database.ts';
import {
  countValidAuthorization,
  insertOrder,
  invalidateOrder,
  invalidateOrdersUsing,
  type Order,
  readOrder,
} from '../../src/state/orders.ts';
import {
  attemptChallenge,
  invalidateAuthorization,
  takeValidation,
  validateAuthorization,
} from '../../src/state/validations.ts';
import { openMemoryState, storeAccount } from '../support/memory-state.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const leaseMs = 20_000;

type Step =
  | { readonly kind: 'attempt' | 'take' | 'pass' | 'fail'; readonly at: number; readonly worker: string }
  | { readonly kind: 'deactivate'; readonly at: number }
  | { readonly kind: 'wait'; readonly ms: number };

const at = fc.nat(2);
const worker = fc.constantFrom('one', 'two');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('attempt' as const), at, worker }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), at, worker }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), at, worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), at, worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deactivate' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2 * leaseMs) }) },
);

/** What RFC 8555 §7.1.6 lets follow what. */
const orderMoves: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['pending', 'ready', 'invalid'],
  ready: ['ready', 'invalid'],
  processing: [],
  valid: [],
  invalid: ['invalid'],
};
const authorizationMoves: Readonly<Record<AuthorizationStatus, readonly AuthorizationStatus[]>> = {
  pending: ['pending', 'valid', 'invalid', 'deactivated'],
  valid: ['valid', 'deactivated'],
  invalid: ['invalid'],
  deactivated: ['deactivated'],
  expired: [],
  revoked: [],
};

async function storePending(store: StateStore, account: Account): Promise<string> {
  const orderId = newUnguessableId();
  const ids = [newUnguessableId(), newUnguessableId(), newUnguessableId()];
  const [createdAt, expiresAt] = [new Date(start), new Date(start + 86_400_000)];
  await store.commit([
    insertOrder({
      ...{ id: orderId, accountId: account.id, status: 'pending', profile: 'plain', identifiersDigest: '' },
      identifiers: ids.map((_, i) => ({ type: 'dns', value: `n${i}.example` })),
      ...{ notBefore: undefined, notAfter: undefined, replaces: undefined, createdAt, expiresAt },
      ...{ authorizations: ids, pendingAuthorizations: ids.length },
    }),
    ...ids.map((id, i) =>
      insertAuthorization({
        ...{ id, accountId: account.id, orderId, status: 'pending', profile: 'plain', token: 'token' },
        identifier: { type: 'dns', value: `n${i}.example`, isWildcard: false },
        ...{ methods: ['http-01'], externalAccount: undefined, createdAt, expiresAt },
      }),
    ),
  ]);
  return orderId;
}

async function look(store: StateStore, orderId: string) {
  const order = await readOrder(store, orderId);
  assert.ok(order !== undefined);
  return { order, authorizations: await readAuthorizations(store, order.authorizations) };
}

/** What a step commits; undefined for one that commits by itself. */
function operationsOf(made: Step, order: Order, one: Authorization, now: Date): readonly StateOperation[] {
  switch (made.kind) {
    case 'attempt':
      return [attemptChallenge(one.id, 'http-01', 'thumbprint', leaseOf(made.worker, now))];
    case 'pass':
      return [validateAuthorization(one.id, made.worker, now, one.expiresAt), countValidAuthorization(order.id)];
    case 'fail':
      return [invalidateAuthorization(one.id, made.worker, '{}', now), invalidateOrder(order.id, '{}')];
    case 'deactivate':
      return [deactivateAuthorization(one.id), invalidateOrdersUsing(order.accountId, one.id, now, '{}')];
    case 'take':
    case 'wait':
      return [];
  }
}

function leaseOf(owner: string, now: Date) {
  return { owner, until: new Date(now.getTime() + leaseMs) };
}

describe('acme.md §3: orders and authorizations', () => {
  it('only move forward, and an order is ready exactly when all its authorizations are valid', async () => {
    const store = await openMemoryState();
    const account = await storeAccount(store);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const orderId = await storePending(store, account);
        let now = start;
        let before = await look(store, orderId);
        for (const made of steps) {
          if (made.kind === 'wait') {
            now += made.ms;
            continue;
          }
          const one = before.authorizations[made.at];
          assert.ok(one !== undefined);
          const time = new Date(now);
          try {
            if (made.kind === 'take') await takeValidation(store, one.id, leaseOf(made.worker, time), time);
            else await store.commit(operationsOf(made, before.order, one, time));
            // Whoever decides holds the lease.
            if (made.kind === 'pass' || made.kind === 'fail') assert.equal(one.leaseOwner, made.worker);
          } catch (error) {
            assert.ok(error instanceof StateChangedError, String(error));
          }
          const after = await look(store, orderId);
          assert.ok(orderMoves[before.order.status].includes(after.order.status));
          after.authorizations.forEach((authorization, i) => {
            const from = before.authorizations[i]?.status ?? 'pending';
            assert.ok(authorizationMoves[from].includes(authorization.status), `${from} → ${authorization.status}`);
          });
          const waiting = after.authorizations.filter(({ status }) => status !== 'valid').length;
          if (after.order.status === 'pending') {
            assert.ok(waiting > 0);
            assert.equal(after.order.pendingAuthorizations, waiting);
          }
          if (after.order.status === 'ready') assert.equal(waiting, 0);
          before = after;
        }
      }),
      { numRuns: 150 },
    );
    await store.close();
  });
});
