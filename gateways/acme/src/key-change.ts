// keyChange, RFC 8555 §7.3.5: an account gets another key. The old key signs the outer JWS, the new one the inner, so that
// neither can be pushed upon the other; the whole is kept, as the proof that leads from one key to the next.

import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { isJsonObject, parseJson } from '@gatehouse/pkix/jose/json';
import type { PublicJwk } from '@gatehouse/pkix/jose/jwk';
import { answerAccount } from './account.ts';
import { readInnerJws, readKey, verifySignature } from './authenticate.ts';
import { AcmeError } from './errors.ts';
import type { AccountExchange, Operation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import {
  type Account,
  countAccountKeys,
  KeyInUseError,
  mostAccountKeys,
  readAccount,
  readAccountKey,
  replaceKey,
} from './state/accounts.ts';

/** Two RSA keys of 8192 bits, a signature by each, and base64url twice, are some 11,000; every change is kept for good. */
const maximumOctets = 16_384;

/** POST to keyChange. */
export const changeKey: Operation = async (gate, exchange) => {
  const { account } = exchange;
  if (exchange.rawJws.length > maximumOctets) {
    throw new AcmeError('malformed', `a keyChange has at most ${maximumOctets} octets`, { status: 413 });
  }
  const next = readNewKey(exchange);
  await refuseUsed(gate, next.thumbprint);
  await refuseTooMany(gate, account);
  const { thumbprint } = next;
  const jwk = canonicalJson(next.jwk);
  try {
    await exchange.commit(replaceKey(account, { jwk, thumbprint, keyChange: exchange.rawJws }, gate.clock.now()));
  } catch (error) {
    if (error instanceof KeyInUseError) await refuseUsed(gate, thumbprint);
    throw error;
  }
  exchange.note({ outcome: 'account key changed', thumbprint });
  return answerAccount(gate, exchange, { ...account, jwk, thumbprint });
};

/** The new key, by which the inner JWS is signed. */
function readNewKey(exchange: AccountExchange): PublicJwk {
  const { account, url } = exchange;
  const inner = readInnerJws(exchange.jws.payload);
  const header = inner.protectedHeader;
  if (header.kid !== undefined || header.jwk === undefined) throw malformed("must have 'jwk' and not 'kid'");
  if (header.nonce !== undefined) throw malformed("has a 'nonce'");
  if (header.url !== url) throw malformed("has another 'url' than the outer one");
  const next = readKey(header.jwk, exchange);
  verifySignature(inner, next);
  const { account: accountUrl, oldKey } = readChange(inner.payload);
  if (accountUrl !== account.url) throw malformed("names another 'account' than the one that signed");
  if (!isJsonObject(oldKey)) throw malformed("has no 'oldKey' that is a JWK");
  if (thumbprintOf(oldKey) !== account.thumbprint)
    throw malformed("has an 'oldKey' that is not the key of the account");
  return next;

  function thumbprintOf(jwk: Parameters<typeof readKey>[0]): string {
    return readKey(jwk, exchange).thumbprint;
  }
}

function readChange(octets: Uint8Array) {
  try {
    const change = parseJson(octets);
    if (isJsonObject(change)) return change;
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
  }
  throw malformed('has a payload that is not a JSON object');
}

/** RFC 8555 §7.3.5: 409 with the account that has the key. One that had it before has it still, for this purpose. */
async function refuseUsed({ store }: AcmeGate, thumbprint: string): Promise<void> {
  const key = await readAccountKey(store, thumbprint);
  if (key === undefined) return;
  const holder = await readAccount(store, key.accountId);
  throw new AcmeError('malformed', 'the new key is, or was, the key of an account', {
    status: 409,
    ...(holder === undefined ? {} : { location: holder.url }),
  });
}

async function refuseTooMany({ store }: AcmeGate, account: Account): Promise<void> {
  if ((await countAccountKeys(store, account.id)) < mostAccountKeys) return;
  throw new AcmeError('unauthorized', `the account has had ${mostAccountKeys} keys; make another account`);
}

function malformed(what: string): AcmeError {
  return new AcmeError('malformed', `the inner JWS ${what}`);
}
