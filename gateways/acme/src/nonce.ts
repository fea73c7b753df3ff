// Nonces, RFC 8555 §6.5, that describe themselves: any copy of the gate knows one that any other copy made, by its MAC, and
// nothing is stored for those that are never used. A used one is a row until it would be too old anyway; two requests
// with one nonce race for that row, in the same commit as what they want done.

import { createHash, createHmac, createSecretKey, randomFillSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateOperation } from '@gatehouse/runtime/database/state-store';
import { AcmeError } from './errors.ts';
import { compileQuery, slot } from './state/queries.ts';

/** For how long a nonce may be used, milliseconds. */
export const nonceLifeMs = 3_600_000;

/** By how much the clocks of two copies of the gate may differ. */
const skewMs = 300_000;

// Octets: which key (1), seconds since 1970 (4), random (12), MAC (16).
const timeOffset = 1;
const randomOffset = 5;
const macOffset = 17;
const length = 33;
const form = /^[A-Za-z0-9_-]{44}$/;

const redeemNonce = compileQuery((database) =>
  database
    .insertInto('nonces')
    .values({ nonce: slot(0), expires_at: slot(1) })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Makes and judges nonces. */
export type Nonces = {
  /** A fresh one, 44 characters of base64url. */
  issue(): string;
  /**
   * Judges one by itself: made by this gate, not too old. Costs a MAC, and nothing is written.
   *
   * @returns what redeems it: the first operation of the commit of the request
   * @throws {AcmeError} `badNonce`
   */
  check(nonce: string): StateOperation;
};

/** What {@link createNonces} takes. */
export type NonceOptions = {
  /** 32 octets that all copies of the gate share. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  /** Refuses a good one now and then: for test suites of clients alone. */
  readonly refuses?: (() => boolean) | undefined;
};

/** Makes nonces of one key. */
export function createNonces({ secret, clock, refuses }: NonceOptions): Nonces {
  const key = createSecretKey(secret);
  const keyId = createHash('sha256').update('nonce key id').update(secret).digest()[0] ?? 0;
  const mac = (octets: Buffer): Buffer =>
    createHmac('sha256', key)
      .update(octets.subarray(0, macOffset))
      .digest()
      .subarray(0, length - macOffset);
  return {
    issue: () => {
      const octets = Buffer.allocUnsafe(length);
      octets[0] = keyId;
      octets.writeUInt32BE(Math.floor(clock.now().getTime() / 1000), timeOffset);
      drawRandom(octets, randomOffset, macOffset);
      mac(octets).copy(octets, macOffset);
      return octets.toString('base64url');
    },
    check: (nonce) => {
      if (!form.test(nonce)) throw badNonce('the nonce was not made here');
      const octets = Buffer.from(nonce, 'base64url');
      if (octets[0] !== keyId || !timingSafeEqual(octets.subarray(macOffset), mac(octets))) {
        throw badNonce('the nonce was not made here');
      }
      const madeAt = octets.readUInt32BE(timeOffset) * 1000;
      const age = clock.now().getTime() - madeAt;
      if (age >= nonceLifeMs || age < -skewMs) throw badNonce('the nonce is too old');
      if (refuses?.() === true) throw badNonce('the nonce is refused, to see what the client does');
      return {
        sql: redeemNonce.sql,
        parameters: [octets.toString('base64url', timeOffset, macOffset), madeAt + nonceLifeMs + skewMs],
        expects: { rows: 1, otherwise: () => badNonce('the nonce was used before') },
      };
    },
  };
}

function badNonce(detail: string): AcmeError {
  return new AcmeError('badNonce', detail);
}

// A system call for each nonce would cost more than the nonce.
const pool = Buffer.alloc(12 * 512);
let position = pool.length;

function drawRandom(target: Buffer, from: number, to: number): void {
  if (position === pool.length) {
    randomFillSync(pool);
    position = 0;
  }
  pool.copy(target, from, position, position + to - from);
  position += to - from;
}
