// Idempotency keys: the same request from the same requester gives the same key, anything else another one.
// A key must never be guessable into equality: every part is hashed with its length, so that no two lists of parts are one.

import { createHash } from 'node:crypto';

/** The key for a request that is described by `parts`, in their order: 64 hexadecimal characters (SHA-256). */
export function idempotencyKey(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  const length = Buffer.alloc(5);
  for (const part of parts) {
    // Text and octets of the same content are different parts.
    length.writeUInt8(typeof part === 'string' ? 1 : 2, 0);
    length.writeUInt32BE(typeof part === 'string' ? Buffer.byteLength(part) : part.length, 1);
    hash.update(length).update(part);
  }
  return hash.digest('hex');
}
