// Fetches the CRLs that were announced, two at a time, in the background: a revocation must not wait behind a CRL of forty
// megabytes. What fails is tried again until it is there or not published any more.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { SignedCrl, StatusClient } from '@gatehouse/ra-client/status';
import type { Logger } from '@gatehouse/runtime/log';
import { type CrlShelf, crlName } from './state/crl-shelf.ts';

/** A CRL that is wanted; at least as new as the number says. */
export type WantedCrl = Pick<SignedCrl, 'scope' | 'isDelta' | 'crlNumber'>;

/** What {@link CrlFetcher} is made of. */
export type CrlFetcherOptions = {
  readonly core: Pick<StatusClient, 'getCrl'>;
  readonly crls: CrlShelf;
  readonly log: Logger;
  /** Called when a CRL was put on the shelf. */
  readonly arrived: (facts: SignedCrl) => void;
  /** Called when nothing is wanted any more. */
  readonly idle: () => void;
};

const atOnce = 2;
const firstPauseMs = 250;
const longestPauseMs = 30_000;

/** Fetches CRLs. */
export class CrlFetcher {
  readonly #options: CrlFetcherOptions;
  /** By name, in the order of the announcements. */
  readonly #wanted = new Map<string, WantedCrl>();
  readonly #running = new Map<string, Promise<void>>();
  /** Of what failed: when it is tried again. */
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(options: CrlFetcherOptions) {
    this.#options = options;
  }

  /** Whether everything that was announced is there. */
  get isIdle(): boolean {
    return this.#wanted.size === 0;
  }

  /** Names of what is wanted. */
  get wanted(): Iterable<string> {
    return this.#wanted.keys();
  }

  /** Wants a CRL, in place of an older one that was wanted. */
  want(crl: WantedCrl): void {
    const name = crlName(crl);
    const before = this.#wanted.get(name);
    if (before !== undefined && before.crlNumber >= crl.crlNumber) return;
    this.#wanted.set(name, crl);
    // What was not there a moment ago may be there now.
    this.#endPause(name);
    this.#runNext();
  }

  /** The keep is back: what waits to be tried again is tried now. */
  retryNow(): void {
    for (const name of this.#pauses.keys()) this.#endPause(name);
    this.#runNext();
  }

  /** Ends it; resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const name of this.#pauses.keys()) this.#endPause(name);
    await Promise.all(this.#running.values());
  }

  #runNext(): void {
    for (const [name, crl] of this.#wanted) {
      if (this.#isClosed || this.#running.size >= atOnce) return;
      if (this.#running.has(name) || this.#pauses.has(name)) continue;
      const run = this.#fetch(name, crl).finally(() => {
        this.#running.delete(name);
        this.#runNext();
        if (this.isIdle && !this.#isClosed) this.#options.idle();
      });
      this.#running.set(name, run);
    }
  }

  #endPause(name: string): void {
    clearTimeout(this.#pauses.get(name));
    this.#pauses.delete(name);
  }

  async #fetch(name: string, { scope, isDelta }: WantedCrl): Promise<void> {
    const { core, crls, log, arrived } = this.#options;
    try {
      const file = crls.temporaryFile();
      const facts = await core.getCrl(scope, isDelta, file);
      crls.put(facts, file);
      this.#failures.delete(name);
      this.#satisfy(name, facts.crlNumber);
      arrived(facts);
    } catch (error) {
      if (error instanceof CoreError && error.code === 'not-found') {
        this.#wanted.delete(name);
        log.warn({ crl: name }, 'a CRL that was announced is not there');
      } else this.#pause(name, error);
    }
  }

  /** Something newer may have been announced in the meantime. */
  #satisfy(name: string, crlNumber: number): void {
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined && wanted.crlNumber <= crlNumber) this.#wanted.delete(name);
  }

  #pause(name: string, error: unknown): void {
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 10));
    this.#options.log.warn({ err: error, crl: name, pauseMs }, 'a CRL could not be fetched; it will be tried again');
    const again = (): void => {
      this.#pauses.delete(name);
      this.#runNext();
    };
    if (!this.#isClosed) this.#pauses.set(name, setTimeout(again, pauseMs));
  }
}
