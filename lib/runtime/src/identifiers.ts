// Ids of two kinds. Request ids are made where a request enters the house and go along with every call, log line and
// audit event; they are for finding things, sorted by time, and must never be used as a secret or as a key to anything.
// Unguessable ids name what a client may only know of because it was told.

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

// 24 characters, 256 ids at a time.
const unguessableOctets = 18;
const unguessablePool = Buffer.alloc(256 * unguessableOctets);
let unguessablePosition = unguessablePool.length;
const unguessableForm = /^[A-Za-z0-9_-]{24}$/;

/**
 * Makes an id that nobody can guess: 144 random bits, base64url, 24 characters. None begins with a hyphen: people write ids
 * behind commands, which would take it for an option.
 */
export function newUnguessableId(): string {
  if (unguessablePosition === unguessablePool.length) {
    randomFillSync(unguessablePool);
    unguessablePosition = 0;
  }
  const start = unguessablePosition;
  unguessablePosition += unguessableOctets;
  const id = unguessablePool.toString('base64url', start, unguessablePosition);
  return id.startsWith('-') ? newUnguessableId() : id;
}

/** Whether the text has the form of an unguessable id: others need not be looked up. */
export function isUnguessableId(text: string): boolean {
  return unguessableForm.test(text);
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
