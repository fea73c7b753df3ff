// What both serializations of a JWS have in common (RFC 7515 §5.2, steps 1 to 6): strict base64url, a protected header
// that is a JSON object with `alg`, no extensions.

import { decodeBase64url } from './base64url.ts';
import { JoseError } from './error.ts';
import { isJsonObject, type JsonObject, parseJson } from './json.ts';

/** The members of a protected header; each is as the sender wrote it and of whatever type, but for `alg`. */
export type JwsHeader = JsonObject & { readonly alg: string };

/** A JWS that was read and not verified. */
export type Jws = {
  readonly protectedHeader: JwsHeader;
  /** Base64url, as received. */
  readonly protectedText: string;
  readonly payloadText: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** RFC 7515 §5.1 step 8: what the signature is over. */
  readonly signingInput: Buffer;
};

/** Bounds of the readers. */
export type JwsLimits = {
  /** Octets of the whole serialization; {@link maximumJwsOctets} unless told. */
  readonly maximumOctets?: number | undefined;
};

/** A JWS with a certification request of a hundred names has some 20,000. */
export const maximumJwsOctets = 65_536;

/** The three parts as text. */
export type JwsTexts = {
  readonly protectedText: string;
  readonly payloadText: string;
  readonly signatureText: string;
};

/**
 * Decodes the parts of a JWS.
 *
 * @throws {JoseError} `malformed`
 */
export function readJwsParts({ protectedText, payloadText, signatureText }: JwsTexts): Jws {
  return {
    protectedHeader: readHeader(decode('protected header', protectedText)),
    protectedText,
    payloadText,
    payload: decode('payload', payloadText),
    signature: decode('signature', signatureText),
    signingInput: Buffer.from(`${protectedText}.${payloadText}`, 'latin1'),
  };
}

function decode(part: string, text: string): Buffer {
  const octets = decodeBase64url(text);
  if (octets === undefined) throw new JoseError('malformed', `the ${part} of the JWS is not base64url without padding`);
  return octets;
}

function readHeader(octets: Buffer): JwsHeader {
  const header = parseJson(octets);
  if (!isJsonObject(header)) throw new JoseError('malformed', 'the protected header of the JWS is not a JSON object');
  // RFC 7515 §4.1.11: what is critical must be understood, and nothing is. RFC 7797 §6: `b64` is critical by itself.
  for (const name of ['crit', 'b64']) {
    if (Object.hasOwn(header, name)) {
      throw new JoseError('malformed', `the protected header of the JWS has '${name}', which is not supported`);
    }
  }
  const { alg } = header;
  if (typeof alg !== 'string') throw new JoseError('malformed', "the protected header of the JWS has no 'alg'");
  return { ...header, alg };
}
