/**
 * Verifies anew what the account holder signed (RFC 8555 §7.4): the finalize request with the account's key, the changes of
 * that key (§7.3.5), and that the request holds the very key that was certified. It shares no code with the core's judgement.
 */
import { CertificationRequestError, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { decodeBase64url } from '@gatehouse/pkix/jose/base64url';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { type FlattenedJws, readFlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import { isJsonObject, type JsonValue, parseJson } from '@gatehouse/pkix/jose/json';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';

/** Who asked for the certificate. */
export type AccountHolder = {
  /** URL of the account. */
  readonly account: string;
  /** URL of the finalize request. */
  readonly url: string;
  /** RFC 7638 of the key that signed. */
  readonly thumbprint: string;
  /** Those of former keys of the account that are joined to it, oldest first. */
  readonly formerThumbprints: readonly string[];
};

/** What became of it. */
export type FinalizeFinding = {
  /** The evidence as JSON. */
  readonly text: string;
  readonly holder: AccountHolder | undefined;
  /** Why it does not verify; undefined when it does. */
  readonly fault: string | undefined;
};

/** Verifies the evidence. Never throws for what is in it. @param certifiedKey SubjectPublicKeyInfo of the certificate */
export function verifyFinalize(payload: Uint8Array, certifiedKey: Uint8Array): FinalizeFinding {
  const text = Buffer.from(payload).toString('utf8');
  try {
    return { text, holder: verify(payload, certifiedKey), fault: undefined };
  } catch (error) {
    if (error instanceof JoseError || error instanceof CertificationRequestError) {
      return { text, holder: undefined, fault: error.detail };
    }
    throw error;
  }
}

function verify(octets: Uint8Array, certifiedKey: Uint8Array): AccountHolder {
  const evidence = parseJson(octets);
  const jws = readEmbedded(member(evidence, 'jws'));
  const key = readJwk(member(evidence, 'jwk'));
  const { kid, url } = jws.protectedHeader;
  if (typeof kid !== 'string' || typeof url !== 'string') throw refuse('it names no account or no order');
  if (!isSignedBy(jws, key)) throw refuse("its signature does not verify with the account's key");
  const csr = member(parseJson(jws.payload), 'csr');
  // RFC 8555 §6.1 forbids the padding, which some clients add all the same.
  const request = typeof csr === 'string' ? decodeBase64url(csr.replace(/={1,2}$/, '')) : undefined;
  if (request === undefined) throw refuse('it holds no certification request');
  if (Buffer.compare(readCertificationRequest(request).subjectPublicKeyInfo, certifiedKey) !== 0) {
    throw refuse('it asks for a certificate for another key');
  }
  const changes = member(evidence, 'keyChanges');
  const formerThumbprints = readChanges(isList(changes) ? changes : [], kid, key.thumbprint);
  return { account: kid, url, thumbprint: key.thumbprint, formerThumbprints };
}

/** The keys from which changes lead to the one that signed, oldest first. */
function readChanges(changes: readonly JsonValue[], account: string, last: string): readonly string[] {
  const thumbprints: string[] = [];
  let next = last;
  for (const change of changes.toReversed()) {
    const { from, to } = readChange(readEmbedded(change), account);
    if (to.thumbprint !== next) throw refuse('a change of the key does not lead to the key that is used afterwards');
    thumbprints.unshift(from.thumbprint);
    next = from.thumbprint;
  }
  return thumbprints;
}

/** RFC 8555 §7.3.5: the outer JWS is signed by the old key, the inner one by the new one. */
function readChange(outer: FlattenedJws, account: string): { readonly from: PublicJwk; readonly to: PublicJwk } {
  const inner = readFlattenedJws(outer.payload);
  const payload = parseJson(inner.payload);
  const [from, to] = [readJwk(member(payload, 'oldKey')), readJwk(inner.protectedHeader.jwk)];
  // The URL of an account may begin with another name of the gate; its path tells which one it is.
  const isSameAccount = [outer.protectedHeader.kid, member(payload, 'account')].every(
    (url) => typeof url === 'string' && pathOf(url) === pathOf(account),
  );
  if (!isSameAccount) throw refuse('a change of the key is of another account');
  if (!isSignedBy(outer, from) || !isSignedBy(inner, to))
    throw refuse('a change of the key is not signed by both keys');
  return { from, to };
}

function isSignedBy({ protectedHeader, signingInput, signature }: FlattenedJws, key: PublicJwk): boolean {
  return verifyJws({ alg: protectedHeader.alg, key, signingInput, signature });
}

/** A JWS within JSON: as text, or as an object. */
function readEmbedded(value: JsonValue | undefined): FlattenedJws {
  if (value === undefined) throw refuse('it holds no signed request');
  return readFlattenedJws(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? url;
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function refuse(detail: string): JoseError {
  return new JoseError('malformed', detail);
}
