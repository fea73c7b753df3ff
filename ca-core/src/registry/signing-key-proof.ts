// The proof by which a key for statements is registered (RFC 7515, compact): signed with the key itself, over the URI of
// its holder and the time, so that nobody can register a key that is another's.
// Only P-256 is taken: every statement is ES256, and a second algorithm would be a second way to be wrong.

import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { parseJson } from '@gatehouse/pkix/jose/json';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import type { Jws } from '@gatehouse/pkix/jose/jws';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import { CoreError } from '@gatehouse/proto/core-error';
import { signingKeyProofSchema, signingKeyProofType } from '@gatehouse/proto/perspective-statement';

/** A key that its holder has. */
export type ProvenSigningKey = {
  /** RFC 7638 thumbprint, base64url. */
  readonly keyId: string;
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly issuedAt: Date;
};

/** Statements of a holder whose clock is further off would not be fresh, so its key is of no use. */
const maximumClockSkewMs = 60_000;
const maximumProofOctets = 4096;

/**
 * Reads a proof.
 *
 * @param holder URI of the caller
 * @throws {CoreError} `malformed` for what is no such proof or is of another time, `bad-key` for a key of another kind,
 * `unauthorized` when the signature does not verify or the proof is another holder's
 */
export function readSigningKeyProof(proof: string, holder: string, now: Date): ProvenSigningKey {
  if (proof.length > maximumProofOctets) throw malformed(`it is longer than ${maximumProofOctets} octets`);
  const jws = readJws(proof);
  const { alg, typ, jwk, ...others } = jws.protectedHeader;
  if (typ !== signingKeyProofType) throw malformed(`its type must be ${signingKeyProofType}`);
  if (alg !== 'ES256') throw malformed('its algorithm must be ES256');
  const [other] = Object.keys(others);
  if (other !== undefined) throw malformed(`its header has the member ${JSON.stringify(other.slice(0, 32))}`);
  const key = readKey(jwk);
  if (!verifyJws({ alg, key, signingInput: jws.signingInput, signature: jws.signature })) {
    throw new CoreError('unauthorized', 'the proof of the key does not verify with it');
  }
  const { holder: named, issuedAt } = readPayload(jws);
  if (named !== holder) throw new CoreError('unauthorized', 'the proof of the key is of another holder');
  const skewMs = issuedAt.getTime() - now.getTime();
  if (Math.abs(skewMs) > maximumClockSkewMs) {
    const direction = skewMs > 0 ? 'ahead of' : 'behind';
    throw malformed(
      `the clock of its maker is ${Math.round(Math.abs(skewMs) / 1000)} s ${direction} the clock of the CA`,
    );
  }
  return { keyId: key.thumbprint, subjectPublicKeyInfo: key.key.export({ type: 'spki', format: 'der' }), issuedAt };
}

function readJws(proof: string): Jws {
  try {
    return readCompactJws(proof, { maximumOctets: maximumProofOctets });
  } catch (cause) {
    if (cause instanceof JoseError) throw malformed(cause.detail, cause);
    throw cause;
  }
}

function readKey(jwk: unknown): PublicJwk {
  try {
    const key = readJwk(jwk);
    if (key.kind === 'P-256') return key;
  } catch (cause) {
    if (!(cause instanceof JoseError)) throw cause;
    throw new CoreError('bad-key', `the key of the proof: ${cause.detail}`, { cause });
  }
  throw new CoreError('bad-key', 'statements are signed with keys on P-256');
}

function readPayload({ payload }: Jws): { readonly holder: string; readonly issuedAt: Date } {
  const parsed = signingKeyProofSchema.safeParse(readJson(payload));
  if (!parsed.success) throw malformed('its payload has another form', parsed.error);
  return { holder: parsed.data.holder, issuedAt: new Date(parsed.data.issuedAt) };
}

function readJson(payload: Uint8Array): unknown {
  try {
    return parseJson(payload);
  } catch (cause) {
    if (cause instanceof JoseError) throw malformed(cause.detail, cause);
    throw cause;
  }
}

function malformed(why: string, cause?: unknown): CoreError {
  return new CoreError('malformed', `the proof of the key: ${why}`, { cause });
}
