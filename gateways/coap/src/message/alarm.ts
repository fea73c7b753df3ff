// The one timer of a session: set for whatever is due first, and for nothing when nothing is. One that was set for what has
// been done since rings for nothing and is set anew; that is cheaper than to set it with each message.

import type { Timing } from './timing.ts';

/** Wakes somebody at the time that is asked for. */
export class Alarm {
  readonly #timing: Timing;
  readonly #ring: () => void;
  #set: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(timing: Timing, ring: () => void) {
    this.#timing = timing;
    this.#ring = ring;
  }

  /** Rings at `at` or before; never again when it is undefined. */
  setFor(at: number | undefined): void {
    if (at !== undefined && this.#set !== undefined && this.#set.at <= at) return;
    this.cancel();
    if (at === undefined) return;
    const cancel = this.#timing.after(Math.max(0, at - this.#timing.now()), () => {
      this.#set = undefined;
      this.#ring();
    });
    this.#set = { at, cancel };
  }

  /** Does not ring any more. */
  cancel(): void {
    this.#set?.cancel();
    this.#set = undefined;
  }
}
