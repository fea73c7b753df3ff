// Keys that a gate generated and has not handed over yet, RFC 7030 §4.4: their request waits for approval (§4.2.3), or their
// answer is on its way. They are held in the memory of this process alone, a bounded number for a bounded time, and are
// never written anywhere: after a restart the client's next request gets a new key and begins to wait again.

import type { Clock } from '@gatehouse/runtime/clock';

/** How often a key and its certificate are on their way to the client, and how often they reached it. */
export type KeyDeliveries = { open: number; done: number };

/** A key that waits for its certificate, or with it for its client. */
export type HeldKey = {
  /** PKCS#8, DER. */
  readonly privateKey: Uint8Array;
  /** The CSR that was made with it, DER. */
  readonly certificationRequest: Uint8Array;
  readonly idempotencyKey: string;
  /** Shared by all answers that carry this key. */
  readonly deliveries: KeyDeliveries;
};

/** Holds keys by the client's request. */
export type HeldKeys = {
  /** The key with a copy of its octets, which is the caller's to overwrite: another answer may release the key meanwhile. */
  find(requestKey: string): HeldKey | undefined;
  /** Holds a copy of the key. */
  hold(requestKey: string, key: HeldKey): void;
  /** Forgets a key and overwrites what was held of it; another that was made for the same request stays. */
  release(requestKey: string, key: HeldKey): void;
};

const maximumHeld = 1_000;

/** Makes an empty store. @param holdMs after this long a key is forgotten */
export function createHeldKeys(clock: Clock, holdMs: number): HeldKeys {
  const held = new Map<string, { readonly key: HeldKey; readonly until: number }>();
  const forget = (requestKey: string): void => {
    held.get(requestKey)?.key.privateKey.fill(0);
    held.delete(requestKey);
  };
  const sweep = (): void => {
    const now = clock.now().getTime();
    for (const [requestKey, { until }] of held) {
      if (until > now && held.size < maximumHeld) return;
      forget(requestKey);
    }
  };
  return {
    find: (requestKey) => {
      const entry = held.get(requestKey);
      return entry !== undefined && entry.until > clock.now().getTime() ? copyOf(entry.key) : undefined;
    },
    hold: (requestKey, key) => {
      forget(requestKey);
      sweep();
      held.set(requestKey, { key: copyOf(key), until: clock.now().getTime() + holdMs });
    },
    release: (requestKey, key) => {
      if (held.get(requestKey)?.key.idempotencyKey === key.idempotencyKey) forget(requestKey);
    },
  };
}

function copyOf(key: HeldKey): HeldKey {
  return { ...key, privateKey: Uint8Array.from(key.privateKey) };
}
