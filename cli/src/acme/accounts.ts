/** What `gatehouse acme account` and `gatehouse acme unpause` do. */
import { deactivateAccount, readAccountKeys } from '@gatehouse/gateway-acme/state/accounts';
import { deactivateAuthorizationsOf } from '@gatehouse/gateway-acme/state/authorizations';
import { countOrdersOf, findAccount, type ListedAccount, listAccounts } from '@gatehouse/gateway-acme/state/inventory';
import { invalidateOrdersOf } from '@gatehouse/gateway-acme/state/orders';
import { forgetFailuresOf, forgetNameFailures, listPausedNames } from '@gatehouse/gateway-acme/state/rate-limits';
import { storeProblem } from '@gatehouse/gateway-acme/stored-problem';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { FatalError } from '@gatehouse/runtime/fatal';
import { type Column, formatFields, formatTime, note, print, printJson, printTable, shorten } from '../output.ts';
import { type AcmeListOptions, type AcmeOptions, defaultLimit, withAcmeState } from './state.ts';

/** Of `acme account list`. */
export type ListAccountsOptions = AcmeListOptions & { readonly after?: string | undefined };

/** Of `acme unpause`. */
export type UnpauseOptions = AcmeOptions & {
  readonly name: readonly string[];
  readonly all?: boolean | undefined;
};

const columns: readonly Column<ListedAccount>[] = [
  ['account', ({ id }) => id],
  ['status', ({ status }) => status],
  ['made', ({ createdAt }) => formatTime(createdAt)],
  ['from', ({ createdFrom }) => createdFrom],
  ['external account', ({ externalAccount }) => externalAccount ?? '-'],
  ['contact', ({ contact }) => shorten(contact.join(' ')) || '-'],
];

/** Lists accounts, the newest first. */
export async function listAcmeAccounts(options: ListAccountsOptions): Promise<void> {
  const limit = options.limit ?? defaultLimit;
  const found = await withAcmeState(options, async ({ store }) => {
    const after = options.after === undefined ? undefined : await accountOf(store, options.after);
    return await listAccounts(store, after, limit + 1);
  });
  const accounts = found.slice(0, limit);
  if (options.json === true) printJson(accounts.map(describe));
  else printTable(accounts, columns, 'there is no account');
  const last = accounts.at(-1);
  if (found.length > limit && last !== undefined) note(`There are more; go on with --after ${last.id}.`);
}

/** Shows one account with its keys, its orders by status and its paused names. */
export async function showAcmeAccount(id: string, options: AcmeOptions): Promise<void> {
  const shown = await withAcmeState(options, async ({ store }) => {
    const account = await accountOf(store, id);
    const [keys, orders, paused] = await Promise.all([
      readAccountKeys(store, account.id),
      countOrdersOf(store, account.id),
      listPausedNames(store, { accountId: account.id, name: '' }, defaultLimit),
    ]);
    return { account, keys, orders, paused: paused.filter(({ accountId }) => accountId === account.id) };
  });
  const { account, keys, orders, paused } = shown;
  if (options.json === true) {
    printJson({
      ...describe(account),
      keys: keys.map(({ thumbprint }) => thumbprint),
      orders,
      pausedNames: paused.map(({ name }) => name),
    });
    return;
  }
  print(
    formatFields([
      ['account', account.id],
      ['url', account.url],
      ['status', account.status],
      ['contact', account.contact.join(' ')],
      ['external account', account.externalAccount],
      ['made', `${formatTime(account.createdAt)} from ${account.createdFrom}`],
      ['deactivated', account.deactivatedAt === undefined ? undefined : formatTime(account.deactivatedAt)],
      ['keys', keys.map(({ thumbprint }) => thumbprint).join(' ')],
      [
        'orders',
        Object.entries(orders)
          .map(([status, count]) => `${status} ${count}`)
          .join(', ') || 'none',
      ],
      ['paused names', paused.map(({ name }) => name).join(' ')],
    ]),
  );
}

/** Deactivates an account as its holder could (RFC 8555 §7.3.6); its certificates stay valid. */
export async function deactivateAcmeAccount(id: string, options: AcmeOptions): Promise<void> {
  const account = await withAcmeState(options, async ({ store }) => {
    const found = await accountOf(store, id);
    if (found.status !== 'valid') throw new FatalError(`account ${found.id} is ${found.status} already`);
    const problem = storeProblem({ type: 'unauthorized', detail: 'the account was deactivated by the operator' });
    await store.commit([
      deactivateAccount(found.id, new Date()),
      invalidateOrdersOf(found.id, problem),
      deactivateAuthorizationsOf(found.id),
    ]);
    return await accountOf(store, found.id);
  });
  if (options.json === true) printJson(describe(account));
  else print(`account ${account.id} is deactivated; its certificates stay valid until they are revoked`);
}

/** Lets an account try names again that failed for days (RFC 8555 §6.6); without an account it lists what is paused. */
export async function unpauseAcmeNames(id: string | undefined, options: UnpauseOptions): Promise<void> {
  if (id === undefined) {
    await listPaused(options);
    return;
  }
  const { name: names, all } = options;
  if (names.length === 0 && all !== true) {
    throw new FatalError('say which names of the account', { hint: 'give --name NAME, or --all' });
  }
  const account = await withAcmeState(options, async ({ store }) => {
    const found = await accountOf(store, id);
    await store.commit(
      all === true
        ? [forgetFailuresOf(found.id)]
        : names.map((name) => forgetNameFailures(found.id, name.toLowerCase().replace(/^\*\./, ''))),
    );
    return found;
  });
  const what = all === true ? 'all names' : names.join(', ');
  if (options.json === true) printJson({ account: account.id, names: all === true ? 'all' : names });
  else print(`account ${account.id} may try ${what} again`);
}

async function listPaused(options: AcmeOptions): Promise<void> {
  const paused = await withAcmeState(options, ({ store }) => listPausedNames(store, undefined, 1_000));
  if (options.json === true) {
    printJson(paused);
    return;
  }
  printTable(
    paused,
    [
      ['account', ({ accountId }) => accountId],
      ['name', ({ name }) => name],
      ['failures', ({ failures }) => String(failures)],
      ['paused', ({ pausedAt }) => formatTime(pausedAt)],
      ['last failed', ({ lastFailedAt }) => formatTime(lastFailedAt)],
    ],
    'no name is paused',
  );
}

/** The account of an id or a URL. Throws FatalError when there is none. */
export async function accountOf(store: StateStore, idOrUrl: string): Promise<ListedAccount> {
  const id = idOrUrl.slice(idOrUrl.lastIndexOf('/') + 1);
  const account = await findAccount(store, id);
  if (account !== undefined) return account;
  throw new FatalError(`there is no account '${id}'`, {
    hint: "'gatehouse acme account list' shows those that there are",
  });
}

function describe(account: ListedAccount): Readonly<Record<string, unknown>> {
  return { ...account, externalAccount: account.externalAccount ?? null };
}
