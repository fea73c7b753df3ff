// Bodies of enrolment protocols as clients really send them: base64 in any lines (RFC 8951 §2.1), PEM armour, or raw DER.
// It finds out which, and gives the DER; what the DER means is never looked at.
import { decodeBase64 } from './base64.ts';
import { PkixError } from './errors.ts';
import { decodePem, PemError } from './pem.ts';

/** 'malformed': neither base64, PEM nor DER. 'too-large': more octets of DER than the caller allows. */
export class TransferEncodingError extends PkixError {
  readonly code: 'malformed' | 'too-large';

  constructor(code: 'malformed' | 'too-large', detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}

/** PEM labels of certification requests (RFC 7468 §7; the second one is of old tools). */
export const certificationRequestLabels: readonly string[] = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/** `maximumDer` is in octets after decoding. */
export type DecodeBodyOptions = { readonly pemLabels: readonly string[]; readonly maximumDer: number };

/**
 * DER of a body that is base64 with or without line breaks, one PEM block, or DER of a SEQUENCE.
 *
 * @throws TransferEncodingError
 */
export function decodeBody(body: Uint8Array, { pemLabels, maximumDer }: DecodeBodyOptions): Uint8Array {
  // A line break after every character and twice the armour is beyond any client; refuse before decoding.
  if (body.length > maximumDer * 3 + 1024) throw new TransferEncodingError('too-large', tooLarge(maximumDer));
  const der = decode(body, pemLabels);
  if (der.length > maximumDer) throw new TransferEncodingError('too-large', tooLarge(maximumDer));
  return der;
}

function tooLarge(maximumDer: number): string {
  return `the body is larger than ${maximumDer} octets of DER`;
}

function decode(body: Uint8Array, pemLabels: readonly string[]): Uint8Array {
  // '0' is in the base64 alphabet too, but base64 of a SEQUENCE begins with 'M': 30 is DER.
  if (body[0] === 0x30) return body;
  if (body.length === 0) throw new TransferEncodingError('malformed', 'the body is empty');
  if (isArmoured(body)) return decodeArmour(body, pemLabels);
  const der = decodeBase64(body);
  if (der === undefined) throw new TransferEncodingError('malformed', 'the body is neither base64 nor PEM nor DER');
  if (der[0] !== 0x30) throw new TransferEncodingError('malformed', 'the body is base64 of something that is not DER');
  return der;
}

function isArmoured(body: Uint8Array): boolean {
  return Buffer.from(body.buffer, body.byteOffset, body.length).includes('-----BEGIN ');
}

function decodeArmour(body: Uint8Array, pemLabels: readonly string[]): Uint8Array {
  try {
    const [block, second] = decodePem(Buffer.from(body).toString('latin1'), pemLabels);
    if (block === undefined || second !== undefined) {
      throw new TransferEncodingError('malformed', 'the body holds more than one PEM block');
    }
    return block.der;
  } catch (cause) {
    if (cause instanceof PemError) throw new TransferEncodingError('malformed', cause.detail, { cause });
    throw cause;
  }
}

/** Base64 of DER in one line without white space, which every client can read (RFC 8951 §2.1). */
export function encodeBody(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
}
