// Follows the keep: what it publishes, every response as it is signed, every CRL as it is made. While the keep is away it
// waits; what is held is served on. It never decides what is newer (the state does), only in which order things are taken.

import type { CrlScope, SignedCrl, StatusChanges, StatusClient, StatusWatch } from '@gatehouse/ra-client/status';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { CrlFetcher } from './crl-fetcher.ts';
import { type CrlShelf, crlName, isScopeName } from './state/crl-shelf.ts';
import type { Progress } from './state/progress.ts';
import type { Publication } from './state/publication.ts';
import type { StoredPosition } from './state/response-disk.ts';
import type { Responses } from './state/responses.ts';

/** What {@link Follower} is made of. */
export type FollowerOptions = {
  readonly core: StatusClient;
  readonly publication: Publication;
  readonly responses: Responses;
  readonly crls: CrlShelf;
  readonly progress: Progress;
  /** Where the copy ends. */
  readonly from: StoredPosition;
  readonly clock: Clock;
  readonly log: Logger;
};

const housekeepingMs = 60_000;
const refreshEveryMs = 600_000;
/** What has ended is kept for a moment: its successor may be on the way. */
const endedForMs = 300_000;
const removedAtOnce = 1000;

/** Follows the keep for as long as the gate lives. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #fetcher: CrlFetcher;
  #position: StoredPosition;
  #watch: StatusWatch | undefined;
  #housekeeping: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #refreshedAt = 0;
  #isConnected = false;
  #isCurrent = false;
  /** What comes was signed after everything that is held. */
  #isInOrder = true;
  #lastChangeAt: number | undefined;
  #hasToldOfTrouble = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#position = options.from;
    this.#fetcher = new CrlFetcher({
      core: options.core,
      crls: options.crls,
      log: options.log,
      arrived: () => this.#changed(),
      idle: () => this.#options.responses.reach(this.#position),
    });
  }

  /** Whether a stream stands: the keep is there, and tells of changes as they come. */
  get isFollowing(): boolean {
    return this.#isConnected;
  }

  /** When something new came last, epoch milliseconds. */
  get lastChangeAt(): number | undefined {
    return this.#lastChangeAt;
  }

  /** Names of CRLs that were announced and are not here yet. */
  get missingCrls(): readonly string[] {
    return [...this.#fetcher.wanted];
  }

  /** Begins. */
  start(): void {
    this.#watch = this.#options.core.watch({
      from: this.#position,
      connected: () => this.#connected(),
      disconnected: (cause) => this.#disconnected(cause),
      changed: (changes) => this.#take(changes),
    });
    this.#housekeeping = setInterval(() => this.#keepHouse(), housekeepingMs).unref();
  }

  /** Ends; resolves when nothing is written any more. */
  async close(): Promise<void> {
    clearInterval(this.#housekeeping);
    await this.#watch?.close();
    await this.#fetcher.close();
  }

  #connected(): void {
    this.#isConnected = true;
    if (this.#hasToldOfTrouble) this.#options.log.info('the CA core is followed again');
    this.#hasToldOfTrouble = false;
    this.#refresh();
    this.#fetcher.retryNow();
  }

  #disconnected(cause: unknown): void {
    this.#isConnected = false;
    this.#isCurrent = false;
    if (this.#hasToldOfTrouble) return;
    this.#hasToldOfTrouble = true;
    this.#options.log.warn(
      { err: cause },
      'the CA core cannot be followed; what is held is served until its nextUpdate',
    );
  }

  async #take(changes: StatusChanges): Promise<void> {
    const { responses } = this.#options;
    await this.#refreshing;
    const { epoch, position } = changes;
    if (epoch !== this.#position.epoch || position < this.#position.position) this.#isInOrder = false;
    responses.take(changes, this.#isInOrder);
    await this.#wantAll(changes.crls);
    this.#position = { epoch, position };
    if (changes.responses.length > 0) this.#changed();
    if (changes.isCurrent && !this.#isCurrent) this.#becameCurrent();
    // A CRL that was announced and is not here yet must be announced again after a crash.
    if (this.#fetcher.isIdle) responses.reach(this.#position);
  }

  #becameCurrent(): void {
    this.#isCurrent = true;
    this.#isInOrder = true;
    this.#wantMissing();
    this.#noteProgress();
    this.#options.log.info({ ...this.#position }, 'everything that the CA core has signed is here');
  }

  async #wantAll(crls: readonly SignedCrl[]): Promise<void> {
    const { publication } = this.#options;
    if (crls.some(({ scope }) => !publication.scopes.has(scope))) {
      this.#refresh();
      await this.#refreshing;
    }
    for (const crl of crls) if (this.#isServable(crl.scope) && this.#options.crls.isNewer(crl)) this.#fetcher.want(crl);
  }

  #wantMissing(): void {
    const { publication, crls } = this.#options;
    for (const { name: scope, hasDelta } of publication.scopes.values()) {
      if (!this.#isServable(scope)) continue;
      for (const isDelta of hasDelta ? [false, true] : [false]) {
        if (crls.find(crlName({ scope, isDelta })) === undefined) this.#fetcher.want({ scope, isDelta, crlNumber: 0 });
      }
    }
  }

  #isServable(scope: string): boolean {
    if (isScopeName(scope)) return true;
    this.#options.log.error({ scope }, 'a CRL whose name cannot stand in a path is not served');
    return false;
  }

  /** Asks what is published; whoever needs to know waits for `#refreshing`, which fails when that cannot be told. */
  #refresh(): void {
    const refreshing = this.#refreshNow();
    // Most of the time nobody waits for it.
    refreshing.catch(() => {});
    this.#refreshing = refreshing;
  }

  async #refreshNow(): Promise<void> {
    const { core, publication, responses, crls, clock, log } = this.#options;
    const published = await core.getPublication();
    const removed = publication.replace(published);
    for (const authority of removed) {
      log.warn({ authority }, 'the authority has another key, or is gone; what was signed for it is forgotten');
      responses.removeAuthority(authority);
    }
    crls.retain((facts) => !removed.includes(facts.authority) && isPublished(publication.scopes, facts));
    this.#refreshedAt = clock.now().getTime();
  }

  #keepHouse(): void {
    if (!this.#isCurrent) return;
    const now = this.#options.clock.now().getTime();
    this.#noteProgress();
    const hasEnded = [...this.#options.crls.all].some(({ facts }) => facts.nextUpdate.getTime() <= now);
    if (hasEnded || now - this.#refreshedAt >= refreshEveryMs) this.#refresh();
    this.#removeEnded(now - endedForMs);
  }

  /** Certificates that have expired: the keep signs nothing for them any more. */
  #removeEnded(before: number): void {
    try {
      if (this.#options.responses.removeEnded(before, removedAtOnce) === removedAtOnce) {
        setImmediate(() => this.#removeEnded(before));
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'responses that have ended cannot be removed');
    }
  }

  #noteProgress(): void {
    try {
      this.#options.progress.reached(this.#options.clock.now().getTime());
    } catch (error) {
      this.#options.log.error({ err: error }, 'the progress cannot be written to the copy');
    }
  }

  #changed(): void {
    this.#lastChangeAt = this.#options.clock.now().getTime();
  }
}

function isPublished(scopes: ReadonlyMap<string, CrlScope>, { scope, isDelta, authority }: SignedCrl): boolean {
  const published = scopes.get(scope);
  return published !== undefined && published.authority === authority && (!isDelta || published.hasDelta);
}
