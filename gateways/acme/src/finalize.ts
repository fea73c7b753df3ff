// finalize, RFC 8555 §7.4: the CSR is judged while the order is still `ready`, so that a client can mend it; then the order
// is `processing` for good and a worker has it signed. The request itself is kept: it is the account holder's word, which
// the keep verifies (mpic.md §3).

import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { judgeCertificationRequest, readCsr } from './certification-request.ts';
import { AcmeError, refuseIdentifiers } from './errors.ts';
import type { AccountExchange, AcmeAnswer, Operation } from './exchange.ts';
import { externalAccountAllows, readExternalAccountPolicy } from './external-account-policy.ts';
import type { AcmeGate } from './gate.ts';
import { newIssuanceLease } from './issuance-job.ts';
import { answerOrder, orderStatus, readOwnOrder } from './order.ts';
import { StateChangedError } from './state/authorizations.ts';
import { beginIssuance } from './state/issuance.ts';
import type { Order } from './state/orders.ts';

/** Answers `…/order/ID/finalize`. */
export const finalize: Operation = async (gate, exchange, { id }) => {
  const order = await readOwnOrder(gate, exchange.account, id);
  exchange.note({ order: order.id });
  const status = orderStatus(order, gate.clock.now());
  if (status === 'pending' || status === 'invalid') throw notReady(status);
  const request = readCsr(exchange.payload?.csr, gate.configuration.strict);
  if (status !== 'ready') return answerAgain(gate, exchange, order, request.der);

  const profile = gate.profiles.pick(order.profile, exchange.account);
  judgeCertificationRequest(request, {
    identifiers: order.identifiers,
    keys: profile.core.keys,
    accountKey: exchange.jwk.key,
  });
  await checkExternalAccount(gate, exchange, order);
  try {
    const finalization = {
      finalize: exchange.rawJws,
      jwk: canonicalJson(exchange.jwk.jwk),
      certificationRequest: request.der,
    };
    await exchange.commit([beginIssuance(order.id, finalization, newIssuanceLease(gate), gate.clock.now())]);
  } catch (error) {
    if (!(error instanceof StateChangedError)) throw error;
    // Another finalize request was first, perhaps at another copy of the gate.
    return answerAgain(gate, exchange, await readOwnOrder(gate, exchange.account, id), request.der);
  }
  gate.jobs.wakeIssuance(order.id, order.accountId);
  return answerFinalized(gate, exchange, { ...order, status: 'processing' });
};

/** The same CSR once more is a client that did not hear the answer; another one comes too late. */
function answerAgain(
  gate: AcmeGate,
  exchange: AccountExchange,
  order: Order,
  certificationRequest: Uint8Array,
): AcmeAnswer {
  const { status, certificationRequest: first } = order;
  if (first === undefined) throw notReady(status);
  if (Buffer.compare(first, certificationRequest) !== 0) {
    throw new AcmeError('orderNotReady', `the order is ${status}: it was finalized with another CSR`);
  }
  if (status === 'invalid') throw notReady(status);
  return answerFinalized(gate, exchange, order);
}

function answerFinalized(gate: AcmeGate, { base }: AccountExchange, order: Order): AcmeAnswer {
  // lego and others look for the order in Location (acme.md §4).
  return { ...answerOrder(gate, base, order), location: gate.urls.order(base, order.id) };
}

function notReady(status: string): AcmeError {
  const why = status === 'pending' ? 'pending: not all of its authorizations are valid' : `${status}: make a new order`;
  return new AcmeError('orderNotReady', `the order is ${status === 'ready' ? 'not ready any more' : why}`);
}

/** What the key of an external account allows may have changed since the order was made. */
async function checkExternalAccount(gate: AcmeGate, { account }: AccountExchange, order: Order): Promise<void> {
  const policy = await readExternalAccountPolicy(gate, account);
  if (policy === undefined) return;
  const refused = order.identifiers.filter((identifier) => !externalAccountAllows(policy, identifier, order.profile));
  if (refused.length === 0) return;
  throw refuseIdentifiers(
    refused.map((identifier) => ({
      type: 'rejectedIdentifier',
      detail: `the external account of this account does not allow '${identifier.value}' in profile '${order.profile}'`,
      identifier,
    })),
  );
}
