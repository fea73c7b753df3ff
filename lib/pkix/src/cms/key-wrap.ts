// AES key wrap (RFC 3394) as CMS uses it (RFC 3565 §2.3): one key under another, with an integrity check of its own.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { algorithms } from '../object-identifiers.ts';
import { CmsError } from './error.ts';

/** RFC 3394 §2.2.3.1: the default initial value. */
const initialValue = Buffer.alloc(8, 0xa6);

/** Dotted identifiers by octets of the wrapping key. RFC 3565 §2.3.2. */
const identifiers: ReadonlyMap<number, string> = new Map([
  [16, algorithms.aes128Wrap],
  [24, algorithms.aes192Wrap],
  [32, algorithms.aes256Wrap],
]);

/** The algorithm for a wrapping key of this many octets. @throws CmsError unless 16, 24 or 32 */
export function keyWrapIdentifier(keyOctets: number): string {
  const identifier = identifiers.get(keyOctets);
  if (identifier === undefined) throw new CmsError(`a key-encryption key of ${keyOctets} octets is not one of AES`);
  return identifier;
}

/** Octets of the wrapping key of an algorithm. @throws CmsError when it is no AES key wrap */
export function keyWrapOctets(identifier: string): number {
  for (const [octets, known] of identifiers) if (known === identifier) return octets;
  throw new CmsError(`key wrap algorithm ${identifier} is not accepted`);
}

/** Wraps `key`, a multiple of 8 octets. */
export function wrapKey(wrappingKey: Uint8Array, key: Uint8Array): Uint8Array {
  const engine = createCipheriv(cipherName(wrappingKey), wrappingKey, initialValue);
  return Buffer.concat([engine.update(key), engine.final()]);
}

/** Unwraps; throws an error of node:crypto when the integrity check fails. */
export function unwrapKey(wrappingKey: Uint8Array, wrapped: Uint8Array): Buffer {
  const engine = createDecipheriv(cipherName(wrappingKey), wrappingKey, initialValue);
  return Buffer.concat([engine.update(wrapped), engine.final()]);
}

function cipherName({ length }: Uint8Array): string {
  keyWrapIdentifier(length);
  return `id-aes${length * 8}-wrap`;
}
