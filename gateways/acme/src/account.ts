// An account as its client sees it, RFC 8555 §7.1.2, and what the client may do with it: read it, change its contacts,
// deactivate it (§7.3.2, §7.3.6). Everything else that an update says is passed over.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { parseJson } from '@gatehouse/pkix/jose/json';
import { readContact } from './contact.ts';
import { notFound } from './errors.ts';
import type { AccountExchange, AcmeAnswer, AcmeExchange, Operation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { writeProblem } from './problem.ts';
import { type Account, deactivateAccount, setContact } from './state/accounts.ts';
import { deactivateAuthorizationsOf } from './state/authorizations.ts';
import { invalidateOrdersOf } from './state/orders.ts';

/** The account object. @param base of the request */
export function describeAccount({ urls }: Pick<AcmeGate, 'urls'>, base: string, account: Account): JsonObject {
  const { id, status, contact, termsOfServiceAgreed, externalAccountBinding } = account;
  return {
    status,
    contact,
    ...(termsOfServiceAgreed ? { termsOfServiceAgreed } : {}),
    ...(externalAccountBinding === undefined ? {} : { externalAccountBinding: parseJson(externalAccountBinding) }),
    orders: urls.orders(base, id),
  };
}

/** The answer that shows an account. @param status 201 for one that was just made */
export function answerAccount(
  gate: AcmeGate,
  { base }: Pick<AcmeExchange, 'base'>,
  account: Account,
  status = 200,
): AcmeAnswer {
  return { status, body: describeAccount(gate, base, account), location: account.url };
}

/** POST to the URL of an account. */
export const updateAccount: Operation = async (gate, exchange, { id }) => {
  const { account, payload } = exchange;
  if (id !== account.id) throw notFound('account');
  if (payload === undefined) return answerAccount(gate, exchange, account);
  if (payload.status === 'deactivated') return await deactivate(gate, exchange);
  const contact = readContact(payload.contact);
  if (contact === undefined) return answerAccount(gate, exchange, account);
  await exchange.commit([setContact(account.id, contact)]);
  exchange.note({ outcome: 'contacts changed' });
  return answerAccount(gate, exchange, { ...account, contact });
};

async function deactivate(gate: AcmeGate, exchange: AccountExchange): Promise<AcmeAnswer> {
  const { account } = exchange;
  const problem = JSON.stringify(writeProblem({ type: 'unauthorized', detail: 'the account was deactivated' }));
  // RFC 8555 §7.3.6: what its key authorised and is not done yet is not done any more.
  await exchange.commit([
    deactivateAccount(account.id, gate.clock.now()),
    invalidateOrdersOf(account.id, problem),
    deactivateAuthorizationsOf(account.id),
  ]);
  exchange.note({ outcome: 'account deactivated' });
  return answerAccount(gate, exchange, { ...account, status: 'deactivated' });
}
