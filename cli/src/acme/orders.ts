/** What `gatehouse acme order` does. */
import type { Identifier } from '@gatehouse/gateway-acme/identifier';
import { orderStatus } from '@gatehouse/gateway-acme/order';
import { type Authorization, readAuthorizations } from '@gatehouse/gateway-acme/state/authorizations';
import { readCertificateById } from '@gatehouse/gateway-acme/state/certificates';
import { pageOrders } from '@gatehouse/gateway-acme/state/inventory';
import { type Order, readOrder } from '@gatehouse/gateway-acme/state/orders';
import { FatalError } from '@gatehouse/runtime/fatal';
import {
  type Column,
  formatFields,
  formatTable,
  formatTime,
  note,
  print,
  printJson,
  printTable,
  shorten,
} from '../output.ts';
import { accountOf } from './accounts.ts';
import { type AcmeListOptions, type AcmeOptions, defaultLimit, withAcmeState } from './state.ts';

/** Of `acme order list`. */
export type ListOrdersOptions = AcmeListOptions & {
  readonly account?: string | undefined;
  /** Position that the last page ended with. */
  readonly before?: number | undefined;
};

const columns: readonly Column<Order>[] = [
  ['order', ({ id }) => id],
  ['status', (order) => orderStatus(order, new Date())],
  ['made', ({ createdAt }) => formatTime(createdAt)],
  ['profile', ({ profile }) => profile],
  ['account', ({ accountId }) => accountId],
  ['names', ({ identifiers }) => shorten(namesOf(identifiers))],
];

/** Lists orders, the newest first. */
export async function listAcmeOrders(options: ListOrdersOptions): Promise<void> {
  const limit = options.limit ?? defaultLimit;
  const found = await withAcmeState(options, async ({ store }) => {
    const account = options.account === undefined ? undefined : await accountOf(store, options.account);
    return await pageOrders(store, account?.id, options.before, limit + 1);
  });
  const orders = found.slice(0, limit);
  if (options.json === true) printJson(orders.map(describe));
  else printTable(orders, columns, 'there is no order');
  const last = orders.at(-1);
  if (found.length > limit && last !== undefined) note(`There are more; go on with --before ${last.position}.`);
}

/** Shows one order: where it stands, what became of each of its authorizations, and why. */
export async function showAcmeOrder(idOrUrl: string, options: AcmeOptions): Promise<void> {
  const id = idOrUrl.slice(idOrUrl.lastIndexOf('/') + 1);
  const { order, authorizations, certificate } = await withAcmeState(options, async ({ store }) => {
    const found = await readOrder(store, id);
    if (found === undefined) {
      throw new FatalError(`there is no order '${id}'`, { hint: "'gatehouse acme order list' shows the newest ones" });
    }
    return {
      order: found,
      authorizations: await readAuthorizations(store, found.authorizations),
      certificate:
        found.certificateId === undefined ? undefined : await readCertificateById(store, found.certificateId),
    };
  });
  if (options.json === true) {
    printJson({
      ...describe(order),
      authorizations: authorizations.map(describeAuthorization),
      certificate: certificate?.serialNumber,
    });
    return;
  }
  print(
    formatFields([
      ['order', order.id],
      ['status', orderStatus(order, new Date())],
      ['account', order.accountId],
      ['names', namesOf(order.identifiers)],
      ['profile', order.profile],
      ['made', formatTime(order.createdAt)],
      ['expires', formatTime(order.expiresAt)],
      ['replaces', order.replaces],
      ['attempts', order.attempts > 0 ? String(order.attempts) : undefined],
      ['certificate', certificate?.serialNumber],
      ['error', detailOf(order.error)],
    ]),
  );
  if (authorizations.length > 0) print(`\n${formatTable(authorizations, authorizationColumns)}`);
}

const authorizationColumns: readonly Column<Authorization>[] = [
  ['authorization', ({ id }) => id],
  ['name', ({ identifier }) => `${identifier.isWildcard ? '*.' : ''}${identifier.value}`],
  ['status', ({ status }) => status],
  ['method', ({ method, externalAccount }) => method ?? (externalAccount === undefined ? '-' : 'external account')],
  ['validated', ({ validatedAt }) => formatTime(validatedAt)],
  ['error', ({ error }) => detailOf(error) ?? '-'],
];

function describe(order: Order): Readonly<Record<string, unknown>> {
  const { certificationRequest: _request, finalize: _finalize, finalizeJwk: _jwk, ...rest } = order;
  return { ...rest, status: orderStatus(order, new Date()), error: parsed(order.error) };
}

function describeAuthorization(authorization: Authorization): unknown {
  const { token: _token, ...rest } = authorization;
  return { ...rest, error: parsed(authorization.error) };
}

function namesOf(identifiers: readonly Identifier[]): string {
  return identifiers.map(({ value }) => value).join(' ');
}

function parsed(document: string | undefined): unknown {
  return document === undefined ? undefined : JSON.parse(document);
}

function detailOf(document: string | undefined): string | undefined {
  const problem = parsed(document);
  if (typeof problem !== 'object' || problem === null || !('detail' in problem) || !('type' in problem))
    return undefined;
  return `${String(problem.type).replace('urn:ietf:params:acme:error:', '')}: ${String(problem.detail)}`;
}
