// Cookies of HelloVerifyRequests (RFC 6347 §4.2.1): they prove that a peer receives what is sent to its address, and
// nothing is kept for it until one comes back. HMAC-SHA-256 over the peer and what its ClientHello says, with a secret
// that is changed every few minutes; the one before is still good.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@gatehouse/runtime/clock';
import type { ClientHello } from './records.ts';

/** How long a secret makes cookies; it takes them twice as long. */
export const cookieSecretLifeMs = 120_000;

const secretOctets = 32;

/** Makes and knows cookies. */
export class Cookies {
  readonly #clock: Clock;
  #current = randomBytes(secretOctets);
  #previous: Buffer | undefined;
  #madeAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#madeAt = clock.now().getTime();
  }

  make(peerKey: string, hello: ClientHello): Buffer {
    this.#rotate();
    return mac(this.#current, peerKey, hello);
  }

  isRight(cookie: Uint8Array, peerKey: string, hello: ClientHello): boolean {
    this.#rotate();
    if (isEqual(cookie, mac(this.#current, peerKey, hello))) return true;
    return this.#previous !== undefined && isEqual(cookie, mac(this.#previous, peerKey, hello));
  }

  #rotate(): void {
    const age = Math.abs(this.#clock.now().getTime() - this.#madeAt);
    if (age < cookieSecretLifeMs) return;
    // One that nobody was given a cookie of for so long is not to be believed any more.
    this.#previous = age < 2 * cookieSecretLifeMs ? this.#current : undefined;
    this.#current = randomBytes(secretOctets);
    this.#madeAt = this.#clock.now().getTime();
  }
}

function mac(secret: Buffer, peerKey: string, { parameters }: ClientHello): Buffer {
  const hmac = createHmac('sha256', secret).update(peerKey).update('\0');
  for (const part of parameters) hmac.update(part);
  return hmac.digest();
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
