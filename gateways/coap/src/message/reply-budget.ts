// What all sessions together remember of answered requests, RFC 7252 §4.5: each session has bounds of its own, and many sessions
// at once have this one. What was answered first is forgotten first; a duplicate of it is then judged as a new request.

/** Octets unless told: with those of requests without a payload, some 20,000 answers. */
const defaultMaximumOctets = 8 * 1024 * 1024;

/** What a remembered request costs beside its reply. */
export const rememberedOctets = 256;

type Share = { readonly octets: number; readonly forget: () => void };

/** The memory of all sessions. */
export class ReplyBudget {
  readonly #maximumOctets: number;
  /** Oldest first. */
  readonly #shares = new Set<Share>();
  #octets = 0;

  /** @param maximumOctets a single reply may be more: its duplicates are the ones to expect */
  constructor(maximumOctets: number = defaultMaximumOctets) {
    this.#maximumOctets = maximumOctets;
  }

  /** Octets that are taken now. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Takes a share for an answered request.
   *
   * @param replyOctets 0 when a duplicate gets nothing
   * @param forget drops the request; called at most once, and not after the share was given back
   * @returns gives the share back
   */
  take(replyOctets: number, forget: () => void): () => void {
    const share: Share = { octets: rememberedOctets + replyOctets, forget };
    this.#shares.add(share);
    this.#octets += share.octets;
    for (const oldest of this.#shares) {
      if (this.#octets <= this.#maximumOctets || oldest === share) break;
      this.#giveBack(oldest);
      oldest.forget();
    }
    return () => this.#giveBack(share);
  }

  #giveBack(share: Share): void {
    if (this.#shares.delete(share)) this.#octets -= share.octets;
  }
}
