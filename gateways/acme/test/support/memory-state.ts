// The state of a gate in memory, with an account and orders in the status that a test begins with.

import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import type { Identifier } from '../../src/identifier.ts';
import { type Account, insertAccount, readAccount } from '../../src/state/accounts.ts';
import { migrations } from '../../src/state/open.ts';
import { insertOrder, type NewOrder } from '../../src/state/orders.ts';
import { newKey } from './issuer.ts';

/** Opens an empty state in memory. */
export async function openMemoryState(): Promise<StateStore> {
  const log = createLog({ name: 'test', level: 'silent' });
  return await openStateStore({ database: { file: ':memory:' }, migrations, log, clock: systemClock });
}

/** An account with a key. */
export async function storeAccount(store: StateStore, key = newKey()): Promise<Account> {
  const id = newUnguessableId();
  const { jwk, thumbprint } = jwkOfKey(key);
  await store.commit(
    insertAccount({
      id,
      url: `https://acme.test/acme/account/${id}`,
      jwk: canonicalJson(jwk),
      thumbprint,
      contact: [],
      termsOfServiceAgreed: true,
      externalAccount: undefined,
      externalAccountBinding: undefined,
      createdAt: new Date(),
      createdFrom: '127.0.0.1',
    }),
  );
  const account = await readAccount(store, id);
  if (account === undefined) throw new Error('the account is gone');
  return account;
}

/** An order that is ready unless told. @returns its id */
export async function storeOrder(
  store: StateStore,
  account: Account,
  names: readonly string[],
  changes: Partial<NewOrder> = {},
): Promise<string> {
  const id = newUnguessableId();
  const now = Date.now();
  await store.commit([
    insertOrder({
      id,
      accountId: account.id,
      status: 'ready',
      identifiers: names.map((value): Identifier => ({ type: 'dns', value })),
      identifiersDigest: '00',
      profile: 'tlsserver',
      notBefore: undefined,
      notAfter: undefined,
      authorizations: [],
      pendingAuthorizations: 0,
      replaces: undefined,
      createdAt: new Date(now),
      expiresAt: new Date(now + 86_400_000),
      ...changes,
    }),
  ]);
  return id;
}
