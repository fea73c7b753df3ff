// External account binding, RFC 8555 §7.3.4: a MAC by which whoever has a key of an operator's says that the key of the new
// account is his. Every reason why a key does not count looks the same, and a key is spent where the account is made.

import { randomBytes } from 'node:crypto';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { isJsonObject, type JsonValue, parseJson } from '@gatehouse/pkix/jose/json';
import { readJwk } from '@gatehouse/pkix/jose/jwk';
import { hmacAlgorithmNames, verifyHmacJws } from '@gatehouse/pkix/jose/signature';
import type { StateOperation } from '@gatehouse/runtime/database/state-store';
import { readInnerJws } from './authenticate.ts';
import { AcmeError } from './errors.ts';
import type { AcmeExchange } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import {
  type ExternalAccountKey,
  readExternalAccountKey,
  spendExternalAccountKey,
} from './state/external-account-keys.ts';

/** A binding that was verified. */
export type ExternalAccountBinding = {
  readonly keyId: string;
  /** As the client sent it, JSON. */
  readonly text: string;
};

/** Stands for the secret of a key that does not exist, so that asking for one takes as long. */
const noSecret = randomBytes(32);

/**
 * Verifies the member `externalAccountBinding`.
 *
 * @throws {AcmeError} `malformed` when it is not what §7.3.4 prescribes, `badSignatureAlgorithm`, `unauthorized`
 */
export async function readBinding(
  { store, clock }: Pick<AcmeGate, 'store' | 'clock'>,
  exchange: AcmeExchange,
  value: JsonValue,
): Promise<ExternalAccountBinding> {
  if (!isJsonObject(value)) throw malformed('is not a JSON object');
  const jws = readInnerJws(value);
  const { alg, kid, url, nonce, jwk } = jws.protectedHeader;
  if (!hmacAlgorithmNames.includes(alg)) {
    throw new AcmeError(
      'badSignatureAlgorithm',
      `the algorithm '${alg.slice(0, 32)}' of the externalAccountBinding is not accepted`,
      {
        algorithms: hmacAlgorithmNames,
      },
    );
  }
  if (typeof kid !== 'string') throw malformed("has no 'kid'");
  if (jwk !== undefined) throw malformed("has a 'jwk'");
  if (nonce !== undefined) throw malformed("has a 'nonce'");
  if (url !== exchange.url) throw malformed("has another 'url' than the request");
  if (thumbprintOf(jws.payload) !== exchange.thumbprint)
    throw malformed('is about another key than that of the request');

  const key = await readExternalAccountKey(store, kid);
  const secret = key?.secret ?? noSecret;
  const isRight = verifyHmacJws({ alg, secret, signingInput: jws.signingInput, signature: jws.signature });
  if (key === undefined || !isRight || !isUsable(key, clock.now())) {
    exchange.note({ externalAccount: kid.slice(0, 64), cause: describeFault(key, isRight, clock.now()) });
    throw refused();
  }
  return { keyId: key.keyId, text: JSON.stringify(value) };
}

/** Spends a use of the key, in the commit that makes the account. */
export function spendBinding({ keyId }: ExternalAccountBinding, now: Date): StateOperation {
  return spendExternalAccountKey(keyId, now, refused);
}

/** Whether a key can still make an account. */
function isUsable(key: ExternalAccountKey, now: Date): boolean {
  return key.revokedAt === undefined && !isExpired(key, now) && !isSpent(key);
}

function isExpired({ expiresAt }: ExternalAccountKey, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function isSpent({ accounts, isSingleUse, maximumAccounts = Number.POSITIVE_INFINITY }: ExternalAccountKey): boolean {
  return accounts >= (isSingleUse ? 1 : maximumAccounts);
}

/** For the log alone. */
function describeFault(key: ExternalAccountKey | undefined, isRight: boolean, now: Date): string {
  if (key === undefined) return 'unknown external account key';
  if (!isRight) return 'wrong MAC of the external account binding';
  if (key.revokedAt !== undefined) return 'revoked external account key';
  return isExpired(key, now) ? 'expired external account key' : 'spent external account key';
}

function thumbprintOf(payload: Uint8Array): string | undefined {
  try {
    return readJwk(parseJson(payload)).thumbprint;
  } catch (error) {
    if (error instanceof JoseError) return undefined;
    throw error;
  }
}

function malformed(what: string): AcmeError {
  return new AcmeError('malformed', `the externalAccountBinding ${what}`);
}

function refused(): AcmeError {
  return new AcmeError(
    'unauthorized',
    'the external account key does not exist, cannot be used any more, or did not make this MAC',
  );
}
