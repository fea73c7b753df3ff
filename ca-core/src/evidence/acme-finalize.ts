/**
 * Evidence of type `acme-finalize`: what the account holder signed (mpic.md §3, point 4, RFC 8555 §7.4). Without it a hostile
 * gate could marry a stranger's validations to its own key. It proves that the holder of an account's key asked this CA to
 * certify this very request, once.
 */
import { hash } from 'node:crypto';
import { decodeBase64url } from '@gatehouse/pkix/jose/base64url';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { type FlattenedJws, readFlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@gatehouse/pkix/jose/json';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import { CoreError } from '@gatehouse/proto/core-error';
import type { AcmeUrls } from './acme-urls.ts';
import { linkedThumbprints } from './key-change.ts';

/** A request of 16 KiB and some changes of the account's key fit. */
export const maximumFinalizeOctets = 128 * 1024;

/** RFC 7515 in JSON of RFC 8555 nests no deeper: evidence, JWK. */
const maximumDepth = 4;

/** Who asked for the certificate. */
export type AccountHolder = {
  /** URL of the account, as the holder wrote it. */
  readonly account: string;
  readonly accountId: string;
  readonly orderId: string;
  /** RFC 7638 of the key that signed. */
  readonly thumbprint: string;
  /** That one, and those of the account's former keys that lead to it. */
  readonly thumbprints: ReadonlySet<string>;
};

/** What the signed request must say. */
export type FinalizeExpectations = {
  /** The request to sign, DER; undefined when the enrollment has none. */
  readonly certificationRequest: Uint8Array | undefined;
  readonly idempotencyKey: string;
  readonly urls: AcmeUrls;
};

/** Verifies the evidence. Throws CoreError `evidence-invalid` that names what is wrong. */
export function verifyAcmeFinalize(payload: Uint8Array, expected: FinalizeExpectations): AccountHolder {
  try {
    return verify(payload, expected);
  } catch (cause) {
    if (cause instanceof JoseError) throw refuse(cause.detail, cause);
    throw cause;
  }
}

function verify(octets: Uint8Array, expected: FinalizeExpectations): AccountHolder {
  if (octets.length > maximumFinalizeOctets) throw refuse(`it has more than ${maximumFinalizeOctets} octets`);
  const evidence = parseJson(octets, { maximumDepth });
  if (!isJsonObject(evidence)) throw refuse('it is not a JSON object');
  const jws = readEmbeddedJws(evidence.jws);
  const { protectedHeader: header } = jws;

  const { url, kid } = header;
  const orderId = typeof url === 'string' ? expected.urls.finalizedOrderId(url) : undefined;
  if (orderId === undefined) throw refuse("its 'url' is not a finalize URL of ours");
  // RFC 8555 §6.2: finalize requests name the account, never a key of their own.
  const accountId = typeof kid === 'string' ? expected.urls.accountId(kid) : undefined;
  if (accountId === undefined || typeof kid !== 'string') throw refuse("its 'kid' is not an account of ours");
  if (Object.hasOwn(header, 'jwk')) throw refuse("it has 'jwk' beside 'kid'");

  const csr = readRequest(jws.payload);
  const { certificationRequest } = expected;
  if (certificationRequest === undefined || Buffer.compare(csr, certificationRequest) !== 0) {
    throw refuse('it is about another certification request');
  }
  // One finalize request, one certificate: a gate that could choose the key freely could ask twice.
  if (expected.idempotencyKey !== acmeIdempotencyKey(orderId, csr)) {
    throw refuse('the idempotency key is not of its order and certification request');
  }

  const key = readJwk(evidence.jwk);
  if (!isSignedBy(jws, key)) throw refuse("its signature does not verify with the account's key");
  const changes = readList(evidence.keyChanges).map(readEmbeddedJws);
  const thumbprints = linkedThumbprints(changes, { urls: expected.urls, accountId, thumbprint: key.thumbprint });
  return { account: kid, accountId, orderId, thumbprint: key.thumbprint, thumbprints };
}

/** `acme:<order id>:<base64url SHA-256 of the CSR>`, cut to what the contract allows. */
export function acmeIdempotencyKey(orderId: string, csr: Uint8Array): string {
  return `acme:${orderId}:${hash('sha256', csr, 'base64url')}`.slice(0, 128);
}

/** Whether the signature of a JWS holds. Throws JoseError `bad-algorithm`. */
export function isSignedBy({ protectedHeader, signingInput, signature }: FlattenedJws, key: PublicJwk): boolean {
  return verifyJws({ alg: protectedHeader.alg, key, signingInput, signature });
}

/** The text that the client sent, or the same as an object. */
function readEmbeddedJws(value: JsonValue | undefined): FlattenedJws {
  if (typeof value === 'string') return readFlattenedJws(Buffer.from(value));
  if (!isJsonObject(value)) throw refuse('a JWS is missing');
  return readFlattenedJws(Buffer.from(JSON.stringify(value)));
}

function readList(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw refuse("'keyChanges' is not a list");
  return value;
}

function readRequest(payload: Uint8Array): Uint8Array {
  const body: JsonValue = parseJson(payload);
  const csr = isObject(body) ? body.csr : undefined;
  // The gate forgives clients the padding that RFC 8555 §6.1 forbids; what they sign is the same request.
  const der = typeof csr === 'string' ? decodeBase64url(csr.replace(/={1,2}$/, '')) : undefined;
  if (der === undefined) throw refuse("its payload has no 'csr' in base64url");
  return der;
}

function isObject(value: JsonValue): value is JsonObject {
  return isJsonObject(value);
}

function refuse(detail: string, cause?: unknown): CoreError {
  return new CoreError('evidence-invalid', `acme-finalize: ${detail}`, { cause });
}
