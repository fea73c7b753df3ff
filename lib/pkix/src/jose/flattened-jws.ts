// The flattened JSON serialization of a JWS (RFC 7515 §7.2.2), as strictly as RFC 8555 §6.2 wants it: `protected`,
// `payload` and `signature`, nothing unprotected, nothing critical. Nothing here is verified; a reader that goes on
// without verifyJws believes anybody.

import { JoseError } from './error.ts';
import { isJsonObject, parseJson } from './json.ts';
import { type Jws, type JwsLimits, maximumJwsOctets, readJwsParts } from './jws.ts';

/** A JWS in its flattened JSON form. */
export type FlattenedJws = Jws;

const memberNames: ReadonlySet<string> = new Set(['protected', 'payload', 'signature']);

/**
 * Reads a flattened JWS.
 *
 * @throws {JoseError} `malformed`
 */
export function readFlattenedJws(body: Uint8Array, limits: JwsLimits = {}): FlattenedJws {
  const maximum = limits.maximumOctets ?? maximumJwsOctets;
  if (body.length > maximum) throw new JoseError('malformed', `the JWS has more than ${maximum} octets`);
  const value = parseJson(body);
  if (!isJsonObject(value)) throw new JoseError('malformed', 'the JWS is not a JSON object');
  for (const name of Object.keys(value)) if (!memberNames.has(name)) throw new JoseError('malformed', refusal(name));
  const { protected: protectedText, payload: payloadText, signature: signatureText } = value;
  return readJwsParts({
    protectedText: requireText('protected', protectedText),
    payloadText: requireText('payload', payloadText),
    signatureText: requireText('signature', signatureText),
  });
}

function requireText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new JoseError('malformed', `the JWS has no '${name}' that is a string`);
  return value;
}

function refusal(name: string): string {
  // RFC 8555 §6.2: the unprotected header must not be there, and one signature only.
  if (name === 'header') return "the JWS has an unprotected 'header'";
  if (name === 'signatures') return "the JWS has 'signatures': one signature in the flattened form is accepted";
  return `the JWS has the member '${name.slice(0, 64)}', which the flattened form does not know`;
}
