// Keys that a gate generated and has not handed over yet, RFC 7030 §4.4: their request waits for approval (§4.2.3), or their
// answer is on its way. They are held in the memory of this process alone, a bounded number for a bounded time, and are
// never written anywhere: after a restart the client's next request gets a new key and begins to wait again.

import type { Clock } from '@gatehouse/runtime/clock';

/** How often a key and its certificate are on their way to the client, and how often they reached it. */
export type KeyDeliveries = { open: number; done: number };

/** A key that waits for its certificate, or with it for its client. */
export type HeldKey = {
  /** Whose request it is: where there are too many, those of whoever has most of them go first. */
  readonly holder: string;
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
  /**
   * Forgets a key and overwrites what was held of it; another that was made for the same request stays.
   *
   * @param afterMs how much longer the same request is to find it; not at all unless told
   */
  release(requestKey: string, key: HeldKey, afterMs?: number): void;
};

const maximumHeld = 1_000;
// What a timer of Node.js can wait.
const longestTimerMs = 2 ** 31 - 1;

type Held = { readonly key: HeldKey; readonly until: number };

/** Makes an empty store. @param holdMs after this long a key is forgotten */
export function createHeldKeys(clock: Clock, holdMs: number): HeldKeys {
  const held = new Map<string, Held>();
  let timer: NodeJS.Timeout | undefined;
  const forget = (requestKey: string): void => {
    held.get(requestKey)?.key.privateKey.fill(0);
    held.delete(requestKey);
  };
  const isOf = (key: HeldKey, entry: Held | undefined): entry is Held =>
    entry?.key.idempotencyKey === key.idempotencyKey;
  /** A key is overwritten when its time is over, not when the next one comes. */
  const sweep = (): void => {
    clearTimeout(timer);
    const now = clock.now().getTime();
    let next = Number.POSITIVE_INFINITY;
    for (const [requestKey, { until }] of held) {
      if (until <= now) forget(requestKey);
      else next = Math.min(next, until);
    }
    timer = held.size === 0 ? undefined : setTimeout(sweep, Math.min(next - now, longestTimerMs)).unref();
  };
  const busiestHolder = (): string | undefined => {
    const counts = new Map<string, number>();
    let busiest: string | undefined;
    for (const { key } of held.values()) {
      const count = (counts.get(key.holder) ?? 0) + 1;
      counts.set(key.holder, count);
      if (busiest === undefined || count > (counts.get(busiest) ?? 0)) busiest = key.holder;
    }
    return busiest;
  };
  const forgetOldestOf = (holder: string | undefined): void => {
    for (const [requestKey, { key }] of held) {
      if (key.holder !== holder) continue;
      forget(requestKey);
      return;
    }
  };
  const put = (requestKey: string, entry: Held): void => {
    held.set(requestKey, entry);
    if (held.size > maximumHeld) forgetOldestOf(busiestHolder());
    sweep();
  };
  return {
    find: (requestKey) => {
      const entry = held.get(requestKey);
      return entry !== undefined && entry.until > clock.now().getTime() ? copyOf(entry.key) : undefined;
    },
    hold: (requestKey, key) => {
      forget(requestKey);
      put(requestKey, { key: copyOf(key), until: clock.now().getTime() + holdMs });
    },
    release: (requestKey, key, afterMs = 0) => {
      const entry = held.get(requestKey);
      if (!isOf(key, entry)) return;
      if (afterMs <= 0) forget(requestKey);
      else put(requestKey, { ...entry, until: Math.min(entry.until, clock.now().getTime() + afterMs) });
    },
  };
}

function copyOf(key: HeldKey): HeldKey {
  return { ...key, privateKey: Uint8Array.from(key.privateKey) };
}
