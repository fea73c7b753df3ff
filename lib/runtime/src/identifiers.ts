// Request ids: one is made where a request enters the house and goes along with every call, log line and audit event.
// They are for finding things, sorted by time; they must never be used as a secret or as a key to anything.

import { randomFillSync } from 'node:crypto';

// Crockford's base 32: no I, L, O or U, so that an id can be read out on the telephone.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const form = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

// A system call for each id would cost more than the id; random bytes are drawn for 256 ids at a time.
const pool = new Uint8Array(256 * 10);
let poolPosition = pool.length;

/**
 * Makes a request id: 26 characters, of which the first ten are the time in milliseconds (48 bits) and the last sixteen
 * are 80 random bits (the layout of a ULID). Ids of different milliseconds sort by time as text.
 */
export function newRequestId(): string {
  if (poolPosition === pool.length) {
    randomFillSync(pool);
    poolPosition = 0;
  }
  let time = Date.now();
  let head = '';
  for (let i = 0; i < 10; i++) {
    head = alphabet.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  const start = poolPosition;
  poolPosition += 10;
  return head + encode40Bits(start) + encode40Bits(start + 5);
}

/** Whether the text has the form of a request id. For ids that come from outside, before they are logged. */
export function isRequestId(text: string): boolean {
  return form.test(text);
}

function encode40Bits(start: number): string {
  const high = ((pool[start] ?? 0) << 12) | ((pool[start + 1] ?? 0) << 4) | ((pool[start + 2] ?? 0) >> 4);
  const low = (((pool[start + 2] ?? 0) & 15) << 16) | ((pool[start + 3] ?? 0) << 8) | (pool[start + 4] ?? 0);
  return encode20Bits(high) + encode20Bits(low);
}

function encode20Bits(bits: number): string {
  return (
    alphabet.charAt(bits >> 15) +
    alphabet.charAt((bits >> 10) & 31) +
    alphabet.charAt((bits >> 5) & 31) +
    alphabet.charAt(bits & 31)
  );
}
