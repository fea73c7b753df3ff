// Keys that this gate generated for a request that waits for approval, RFC 7030 §4.4 with §4.2.3. They are held in the
// memory of this process alone, a bounded number for a bounded time, and are never written anywhere: after a restart the
// client's next request gets a new key and begins to wait again.

import type { Clock } from '@gatehouse/runtime/clock';

/** A key that waits for its certificate. */
export type HeldKey = {
  /** PKCS#8, DER. */
  readonly privateKey: Uint8Array;
  /** The CSR that was made with it, DER. */
  readonly certificationRequest: Uint8Array;
  readonly idempotencyKey: string;
};

/** Holds keys by the client's request. */
export type HeldKeys = {
  find(requestKey: string): HeldKey | undefined;
  hold(requestKey: string, key: HeldKey): void;
  /** Forgets a key and overwrites it. */
  release(requestKey: string): void;
};

const maximumHeld = 1_000;

/** Makes an empty store. @param holdMs after this long a key is forgotten */
export function createHeldKeys(clock: Clock, holdMs: number): HeldKeys {
  const held = new Map<string, { readonly key: HeldKey; readonly until: number }>();
  const release = (requestKey: string): void => {
    held.get(requestKey)?.key.privateKey.fill(0);
    held.delete(requestKey);
  };
  const sweep = (): void => {
    const now = clock.now().getTime();
    for (const [requestKey, { until }] of held) {
      if (until > now && held.size < maximumHeld) return;
      release(requestKey);
    }
  };
  return {
    find: (requestKey) => {
      const entry = held.get(requestKey);
      return entry !== undefined && entry.until > clock.now().getTime() ? entry.key : undefined;
    },
    hold: (requestKey, key) => {
      sweep();
      held.set(requestKey, { key, until: clock.now().getTime() + holdMs });
    },
    release,
  };
}
