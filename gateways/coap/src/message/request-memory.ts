// What one session remembers of the requests that came, RFC 7252 §4.5: their Message IDs, for as long as a duplicate may come,
// and what a duplicate is answered with. It is bounded in number and octets, here and over all sessions; what is still in work
// is never forgotten to make room, what is answered goes, the oldest first. Replies are overwritten when they go: one may hold a private key.

import type { ReplyBudget } from './reply-budget.ts';
import type { TransmissionParameters } from './transmission-parameters.ts';

/** A request that is remembered. */
export type RememberedRequest = {
  readonly messageId: number;
  readonly isConfirmable: boolean;
  /** What a duplicate gets; nothing while it is undefined. */
  readonly reply: Uint8Array | undefined;
};

type Entry = {
  readonly messageId: number;
  readonly isConfirmable: boolean;
  readonly forgetAt: number;
  reply: Uint8Array | undefined;
  isInWork: boolean;
  /** Gives back its share of what all sessions remember. */
  giveBack: (() => void) | undefined;
};

/** The requests of one session. */
export class RequestMemory {
  readonly #parameters: TransmissionParameters;
  readonly #budget: ReplyBudget;
  /** By Message ID, oldest first. */
  readonly #entries = new Map<number, Entry>();
  /** Those in work, also when their Message IDs have been forgotten since. */
  #inWork = 0;
  #replyOctets = 0;

  constructor(parameters: TransmissionParameters, budget: ReplyBudget) {
    this.#parameters = parameters;
    this.#budget = budget;
  }

  /** When the next one is to be forgotten; undefined when there is none. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const { forgetAt } of this.#entries.values()) {
      if (next === undefined || forgetAt < next) next = forgetAt;
    }
    return next;
  }

  /** The request of a Message ID. */
  find(messageId: number): RememberedRequest | undefined {
    return this.#entries.get(messageId);
  }

  /** Remembers a request that goes to work; undefined when there is no room, because so many are in work. */
  begin(messageId: number, isConfirmable: boolean, now: number): RememberedRequest | undefined {
    const { maximumRequests, exchangeLifetimeMs, nonLifetimeMs } = this.#parameters;
    if (this.#inWork >= maximumRequests) return undefined;
    if (this.#entries.size >= maximumRequests) this.#forgetOldestAnswered();
    const entry: Entry = {
      messageId,
      isConfirmable,
      forgetAt: now + (isConfirmable ? exchangeLifetimeMs : nonLifetimeMs),
      reply: undefined,
      isInWork: true,
      giveBack: undefined,
    };
    this.#entries.set(messageId, entry);
    this.#inWork++;
    return entry;
  }

  /** Says what a duplicate gets from now on. The buffer is this memory's from here: it will be overwritten. */
  keepReply(request: RememberedRequest, reply: Uint8Array): void {
    const entry = this.#entries.get(request.messageId);
    if (entry !== request) return;
    this.#replyOctets += reply.length - (entry.reply?.length ?? 0);
    entry.reply?.fill(0);
    entry.reply = reply;
  }

  /** Nothing more will come of a request than what duplicates get. Once for each. */
  end(request: RememberedRequest): void {
    this.#inWork--;
    const entry = this.#entries.get(request.messageId);
    if (entry !== request) return;
    entry.isInWork = false;
    entry.giveBack = this.#budget.take(entry.reply?.length ?? 0, () => this.#forget(entry));
    // The reply that came just now stays, whatever its size: its duplicates are the ones to expect.
    while (this.#replyOctets > this.#parameters.maximumReplyOctets) {
      if (!this.#forgetOldestAnswered(entry)) return;
    }
  }

  /** Forgets those whose time has come. */
  forgetExpired(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.forgetAt <= now) this.#forget(entry);
    }
  }

  /** Forgets all. */
  clear(): void {
    for (const entry of this.#entries.values()) this.#forget(entry);
  }

  #forgetOldestAnswered(except?: Entry): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.isInWork || entry === except) continue;
      this.#forget(entry);
      return true;
    }
    return false;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.messageId);
    entry.giveBack?.();
    this.#replyOctets -= entry.reply?.length ?? 0;
    entry.reply?.fill(0);
    entry.reply = undefined;
  }
}
