// Who signed a request, RFC 8555 §6.2 to §6.5, in an order in which an attacker pays more than the gate: form, nonce by its
// MAC, account, signature; nothing is written before the signature is verified. The nonce is redeemed with the effect.

import { JoseError } from '@gatehouse/pkix/jose/error';
import { type FlattenedJws, readFlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@gatehouse/pkix/jose/json';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import { signatureAlgorithmNames, verifyJws } from '@gatehouse/pkix/jose/signature';
import { AcmeError } from './errors.ts';
import type { AcmeRequest } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { SignedExchange } from './signed-exchange.ts';
import { type Account, accountIsNotValid, readAccount } from './state/accounts.ts';

/** Largest body of a request, octets. */
export const maximumBodyOctets = 65_536;

/** What a resource wants of its requests. */
export type SigningRule = {
  /** `account`: by `kid` alone; `key`: by `jwk` alone; `either`: revokeCert. RFC 8555 §6.2. */
  readonly signer: 'account' | 'key' | 'either';
  /** `none`: POST-as-GET alone; `object`: a JSON object; `any`: both mean something. */
  readonly payload: 'none' | 'object' | 'any';
};

/** What the protected header says about the signer. */
type Signer =
  | { readonly kid: string; readonly jwk?: undefined }
  | { readonly kid?: undefined; readonly jwk: JsonObject };

/**
 * Verifies nonce and signature of a request. Whoever goes on must see to it that the nonce is redeemed.
 *
 * @throws {AcmeError} `malformed`, `badNonce`, `badSignatureAlgorithm`, `badPublicKey`, `accountDoesNotExist`, `unauthorized`
 */
export async function authenticate(
  gate: AcmeGate,
  request: AcmeRequest,
  body: Uint8Array,
  rule: SigningRule,
): Promise<SignedExchange> {
  const jws = asAcmeErrors(() => readFlattenedJws(body, { maximumOctets: maximumBodyOctets }));
  const { alg, nonce, url } = jws.protectedHeader;
  if (!signatureAlgorithmNames.includes(alg)) throw badAlgorithm(`the algorithm '${alg.slice(0, 32)}' is not accepted`);
  if (typeof url !== 'string') throw new AcmeError('malformed', "the protected header has no 'url'");
  // RFC 8555 §6.4: what was meant for another resource, or for another server, is not for this one.
  if (url !== request.url) {
    throw new AcmeError('unauthorized', `the JWS is signed for the URL '${url}' and was sent to '${request.url}'`);
  }
  const signer = readSigner(jws, rule);
  if (typeof nonce !== 'string') throw new AcmeError('badNonce', "the protected header has no 'nonce'");
  const redeem = gate.nonces.check(nonce);

  const account = signer.kid === undefined ? undefined : await findAccount(gate, signer.kid);
  const jwk = account === undefined ? readKey(signer.jwk, request) : gate.accountKeys.of(account);
  verifySignature(jws, jwk);
  if (account !== undefined) request.note({ account: account.id });
  return new SignedExchange({ request, store: gate.store, account, jwk, jws, body, redeem });
}

/**
 * Judges what was signed: that the account is valid, and that the payload is what the resource takes.
 *
 * @throws {AcmeError} `unauthorized` (401), `malformed`
 */
export function admit(exchange: SignedExchange, { payload }: SigningRule, isStrict: boolean): void {
  const { account, jws } = exchange;
  // RFC 8555 §7.3.6: nothing that a deactivated account signs is accepted, not even a question.
  if (account !== undefined && account.status !== 'valid') throw accountIsNotValid();
  if (jws.payload.length === 0) {
    if (payload === 'object')
      throw new AcmeError('malformed', 'the payload is empty: this resource is not read by POST-as-GET');
    return;
  }
  if (payload === 'none') {
    // RFC 8555 §6.3.
    throw new AcmeError('malformed', 'the payload must be empty: this resource is only read, by POST-as-GET');
  }
  exchange.payload = readPayload(jws.payload);
  if (isStrict && Object.hasOwn(exchange.payload, 'resource')) {
    throw new AcmeError('malformed', "the payload has 'resource', which ACME has not known since its drafts");
  }
}

/**
 * Reads a JWS inside of a payload: for keyChange and externalAccountBinding.
 *
 * @param value octets, or JSON that was read before
 * @throws {AcmeError} `malformed`
 */
export function readInnerJws(value: Uint8Array | JsonObject): FlattenedJws {
  const octets = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return asAcmeErrors(() => readFlattenedJws(octets, { maximumOctets: maximumBodyOctets }));
}

/**
 * Reads a JWK that a client sent.
 *
 * @throws {AcmeError} `badPublicKey`, also for what is no JWK at all
 */
export function readKey(
  value: JsonValue | undefined,
  { log, requestId }: Pick<AcmeRequest, 'log' | 'requestId'>,
): PublicJwk {
  try {
    return readJwk(value);
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
    // Whoever reads the client's traffic, or ours, has its key now: its owner should know.
    if (error.code === 'private-key') log.error({ requestId }, 'a client sent the private part of its account key');
    throw new AcmeError('badPublicKey', error.detail);
  }
}

/**
 * Verifies a signature.
 *
 * @throws {AcmeError} `malformed` when it is wrong, `badSignatureAlgorithm` when `alg` does not fit the key
 */
export function verifySignature({ protectedHeader, signingInput, signature }: FlattenedJws, key: PublicJwk): void {
  const isRight = asAcmeErrors(() => verifyJws({ alg: protectedHeader.alg, key, signingInput, signature }));
  if (!isRight) throw new AcmeError('malformed', 'the signature of the JWS does not verify');
}

function readSigner({ protectedHeader: { jwk, kid } }: FlattenedJws, { signer }: SigningRule): Signer {
  // RFC 8555 §6.2: mutually exclusive, and one of them must be there.
  if ((jwk === undefined) === (kid === undefined)) {
    throw new AcmeError('malformed', "the protected header must have exactly one of 'jwk' and 'kid'");
  }
  if (kid !== undefined) {
    if (signer === 'key') throw new AcmeError('malformed', "this resource takes requests with 'jwk', not with 'kid'");
    if (typeof kid !== 'string') throw new AcmeError('malformed', "'kid' is not a string");
    return { kid };
  }
  if (signer === 'account') throw new AcmeError('malformed', "this resource takes requests with 'kid', not with 'jwk'");
  if (!isJsonObject(jwk)) throw new AcmeError('malformed', "'jwk' is not a JSON object");
  return { jwk };
}

async function findAccount({ urls, store }: AcmeGate, kid: string): Promise<Account> {
  const id = urls.readAnyAccountId(kid);
  if (id === undefined) {
    if (!URL.canParse(kid)) throw new AcmeError('malformed', "'kid' is not a URL");
    throw noSuchAccount();
  }
  const account = await readAccount(store, id);
  // Under any base that is configured, or under the one that it was made under, whatever became of that.
  if (account === undefined || (urls.readAccountId(kid) === undefined && account.url !== kid)) throw noSuchAccount();
  return account;
}

function noSuchAccount(): AcmeError {
  return new AcmeError('accountDoesNotExist', "there is no account with the URL in 'kid'");
}

function readPayload(octets: Uint8Array): JsonObject {
  const payload = asAcmeErrors(() => parseJson(octets));
  if (!isJsonObject(payload)) throw new AcmeError('malformed', 'the payload is not a JSON object');
  return payload;
}

function asAcmeErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
    throw error.code === 'bad-algorithm' ? badAlgorithm(error.detail) : new AcmeError('malformed', error.detail);
  }
}

function badAlgorithm(detail: string): AcmeError {
  return new AcmeError('badSignatureAlgorithm', detail, { algorithms: signatureAlgorithmNames });
}
