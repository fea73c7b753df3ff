/**
 * Changes of an account's key between its validations and the finalize request (RFC 8555 §7.3.5): each was signed by the old
 * key and by the new one, so a chain of them joins the key that validated to the key that asks. A gate can leave links out and
 * so lose validations; it cannot make one.
 */
import { JoseError } from '@gatehouse/pkix/jose/error';
import { type FlattenedJws, readFlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import { isJsonObject, parseJson } from '@gatehouse/pkix/jose/json';
import { readJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import type { AcmeUrls } from './acme-urls.ts';

/** More often nobody changes a key while a validation is good. */
const maximumChanges = 32;

/** Where a chain must end. */
export type ChainEnd = {
  readonly urls: AcmeUrls;
  readonly accountId: string;
  /** Of the key that asks. */
  readonly thumbprint: string;
};

/**
 * The thumbprints of the keys from which the changes lead to the end, itself included.
 *
 * @param changes outer JWS, oldest first
 * @throws {JoseError} when a change is none, or does not lead to the next one
 */
export function linkedThumbprints(changes: readonly FlattenedJws[], end: ChainEnd): ReadonlySet<string> {
  if (changes.length > maximumChanges) throw refuse(`there are more than ${maximumChanges}`);
  const thumbprints = new Set([end.thumbprint]);
  let next = end.thumbprint;
  for (const change of changes.toReversed()) {
    const { from, to } = readChange(change, end);
    if (to !== next) throw refuse('it does not lead to the key that is used afterwards');
    thumbprints.add(from);
    next = from;
  }
  return thumbprints;
}

function readChange(
  outer: FlattenedJws,
  { urls, accountId }: ChainEnd,
): { readonly from: string; readonly to: string } {
  const { url, kid, alg } = outer.protectedHeader;
  if (typeof url !== 'string' || !urls.isKeyChange(url)) throw refuse("its 'url' is not the keyChange URL of ours");
  if (typeof kid !== 'string' || urls.accountId(kid) !== accountId) throw refuse('it is of another account');
  const inner = readFlattenedJws(outer.payload);
  const { protectedHeader: header } = inner;
  // RFC 8555 §7.3.5: the inner one has the same url, a jwk, and no nonce.
  if (header.url !== url) throw refuse("the 'url' of the inner JWS is another one");
  if (Object.hasOwn(header, 'nonce') || Object.hasOwn(header, 'kid'))
    throw refuse("the inner JWS has 'nonce' or 'kid'");
  const payload = parseJson(inner.payload);
  if (!isJsonObject(payload)) throw refuse('the inner payload is not a JSON object');
  const { account, oldKey } = payload;
  if (typeof account !== 'string' || urls.accountId(account) !== accountId) throw refuse('it names another account');
  const [from, to] = [readJwk(oldKey), readJwk(header.jwk)];
  const isSigned =
    verifyJws({ alg, key: from, signingInput: outer.signingInput, signature: outer.signature }) &&
    verifyJws({ alg: header.alg, key: to, signingInput: inner.signingInput, signature: inner.signature });
  if (!isSigned) throw refuse('one of its signatures does not verify');
  return { from: from.thumbprint, to: to.thumbprint };
}

function refuse(detail: string): JoseError {
  return new JoseError('malformed', `a keyChange: ${detail}`);
}
