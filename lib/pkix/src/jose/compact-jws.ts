// The compact serialization of a JWS (RFC 7515 §7.1): read strictly, and made with a key that this process holds.

import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { JoseError } from './error.ts';
import type { JsonObject } from './json.ts';
import { jwkOfKey } from './jwk.ts';
import { type Jws, type JwsLimits, maximumJwsOctets, readJwsParts } from './jws.ts';
import { preferredAlgorithms, type SignatureAlgorithmName, signatureAlgorithms } from './signature.ts';

/**
 * Reads a compact JWS; nothing is verified.
 *
 * @throws {JoseError} `malformed`
 */
export function readCompactJws(text: string, limits: JwsLimits = {}): Jws {
  const maximum = limits.maximumOctets ?? maximumJwsOctets;
  if (text.length > maximum) throw new JoseError('malformed', `the JWS has more than ${maximum} octets`);
  const [protectedText, payloadText, signatureText, ...rest] = text.split('.', 4);
  if (protectedText === undefined || payloadText === undefined || signatureText === undefined || rest.length > 0) {
    throw new JoseError('malformed', 'the JWS does not have three parts');
  }
  return readJwsParts({ protectedText, payloadText, signatureText });
}

/** What {@link signCompactJws} signs. */
export type CompactJwsContents = {
  /** Further members of the header (`typ`, `kid`); `alg` follows from the key. */
  readonly header: JsonObject;
  readonly payload: Uint8Array;
  /** Private key: ES256, ES384, ES512 by its curve, EdDSA, or RS256. */
  readonly key: KeyObject;
};

/**
 * Makes a compact JWS.
 *
 * @throws {JoseError} `bad-key` when the key is of a kind that does not sign here
 */
export function signCompactJws({ header, payload, key }: CompactJwsContents): string {
  const alg = algorithmOf(key);
  const { digest, input } = signatureAlgorithms[alg];
  const protectedText = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url');
  const signed = `${protectedText}.${Buffer.from(payload).toString('base64url')}`;
  return `${signed}.${sign(digest, Buffer.from(signed, 'latin1'), { ...input, key }).toString('base64url')}`;
}

/** Finding it costs more than a signature, and a process signs with one key again and again. */
const algorithms = new WeakMap<KeyObject, SignatureAlgorithmName>();

function algorithmOf(key: KeyObject): SignatureAlgorithmName {
  const known = algorithms.get(key) ?? preferredAlgorithms[jwkOfKey(createPublicKey(key)).kind];
  algorithms.set(key, known);
  return known;
}
