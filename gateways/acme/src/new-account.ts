// newAccount, RFC 8555 §7.3: makes an account, or finds the one of a key (§7.3.1). What is asked of new accounts (terms, an
// external account, limits) is never asked of one that exists: clients come here to learn their URL.

import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import type { JsonObject, JsonValue } from '@gatehouse/pkix/jose/json';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { answerAccount } from './account.ts';
import { readContact } from './contact.ts';
import { AcmeError } from './errors.ts';
import type { AcmeAnswer, AcmeExchange, KeyOperation } from './exchange.ts';
import { type ExternalAccountBinding, readBinding, spendBinding } from './external-account.ts';
import type { AcmeGate } from './gate.ts';
import {
  type Account,
  accountIsNotValid,
  insertAccount,
  KeyInUseError,
  readAccount,
  readAccountKey,
} from './state/accounts.ts';

/** POST to newAccount. */
export const newAccount: KeyOperation = async (gate, exchange) => {
  const { payload = {} } = exchange;
  const contact = readContact(payload.contact) ?? [];
  const agrees = readTruth(payload, 'termsOfServiceAgreed');
  const onlyReturnsExisting = readTruth(payload, 'onlyReturnExisting');
  const { existing, isFormerKey } = await findExisting(gate, exchange);
  if (existing !== undefined) return answerAccount(gate, exchange, existing);
  if (onlyReturnsExisting) throw new AcmeError('accountDoesNotExist', 'there is no account with this key');
  // A key that was replaced may be known to others: it opens neither its former account nor a new one.
  if (isFormerKey) {
    throw new AcmeError('badPublicKey', 'an account had this key and changed it for another one; make a new key');
  }
  demandAgreement(gate, agrees);
  const binding = await demandBinding(gate, exchange, payload.externalAccountBinding);
  return await create(gate, exchange, { contact, agrees, binding });
};

type Wishes = {
  readonly contact: readonly string[];
  readonly agrees: boolean;
  readonly binding: ExternalAccountBinding | undefined;
};

async function create(
  gate: AcmeGate,
  exchange: AcmeExchange,
  { contact, agrees, binding }: Wishes,
): Promise<AcmeAnswer> {
  const id = newUnguessableId();
  const now = gate.clock.now();
  const account: Account = {
    id,
    url: gate.urls.account(exchange.base, id),
    status: 'valid',
    jwk: canonicalJson(exchange.jwk.jwk),
    thumbprint: exchange.thumbprint,
    contact,
    termsOfServiceAgreed: agrees,
    externalAccount: binding?.keyId,
    externalAccountBinding: binding?.text,
    createdAt: now,
  };
  try {
    await exchange.commit([
      ...insertAccount({ ...account, createdFrom: exchange.address }),
      ...(binding === undefined ? [] : [spendBinding(binding, now)]),
      ...gate.rates.forAccount(exchange.address),
    ]);
  } catch (error) {
    if (!(error instanceof KeyInUseError)) throw error;
    // Another request with the same key was first: its account is this one's.
    const { existing } = await findExisting(gate, exchange);
    if (existing === undefined) throw error;
    return answerAccount(gate, exchange, existing);
  }
  exchange.note({ outcome: 'account made', account: id, externalAccount: binding?.keyId });
  return answerAccount(gate, exchange, account, 201);
}

type Found = { readonly existing: Account | undefined; readonly isFormerKey: boolean };

/** The account whose key it is now; whether it was the key of one before. */
async function findExisting({ store }: AcmeGate, { thumbprint }: AcmeExchange): Promise<Found> {
  const key = await readAccountKey(store, thumbprint);
  if (key === undefined || !key.isCurrent) return { existing: undefined, isFormerKey: key !== undefined };
  const existing = await readAccount(store, key.accountId);
  if (existing !== undefined && existing.status !== 'valid') throw accountIsNotValid();
  return { existing, isFormerKey: false };
}

function demandAgreement({ configuration: { termsOfService } }: AcmeGate, agrees: boolean): void {
  if (termsOfService === undefined || agrees) return;
  throw new AcmeError('userActionRequired', `the terms of service must be agreed to: ${termsOfService}`, {
    links: [{ url: termsOfService, rel: 'terms-of-service' }],
  });
}

async function demandBinding(
  gate: AcmeGate,
  exchange: AcmeExchange,
  value: JsonValue | undefined,
): Promise<ExternalAccountBinding | undefined> {
  if (value !== undefined) return await readBinding(gate, exchange, value);
  if (!gate.configuration.externalAccount.required) return undefined;
  throw new AcmeError('externalAccountRequired', 'an account is made only with an externalAccountBinding');
}

function readTruth(payload: JsonObject, name: string): boolean {
  const value = payload[name];
  if (value !== undefined && typeof value !== 'boolean') throw new AcmeError('malformed', `'${name}' is not a boolean`);
  return value === true;
}
