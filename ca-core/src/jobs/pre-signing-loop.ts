/**
 * Runs the pre-signer in its thread, batch after batch while there is something to sign. Changes of status come first; then
 * CRLs, which have to show them, go before the bulk of signing, though never for long. A failure is told and tried again
 * with the next word of the time; nothing is passed over.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { listChangedScopes } from '../store/crl-entries.ts';
import type { ResponseLog } from '../store/responses/response-log.ts';
import type { StoreReader } from '../store/statements.ts';
import { lastStatusPosition } from '../store/status-changes.ts';
import type { ActiveResponder, PreSigner } from './pre-signer.ts';
import type { FromStatusThread } from './status-thread-messages.ts';

/** What the loop works on. */
export type PreSigningLoopParts = {
  /** core.db. */
  readonly store: StoreReader;
  readonly log: ResponseLog;
  readonly authority: string;
  readonly preSigner: PreSigner;
  /** Resolves when no CRL is being made; undefined when none is. */
  crlsDone(): Promise<unknown> | undefined;
  post(message: FromStatusThread): void;
  /** Told of a failure, after which the loop tries again when it is woken; throws when the thread has to end. */
  onFailure(error: unknown): void;
  /** Epoch milliseconds. */
  readonly now: number;
};

/** The loop. */
export type PreSigningLoop = {
  /** Looks whether there is something to do. @param now epoch milliseconds */
  wake(now: number): void;
  /** From now on this responder signs. */
  setResponder(responder: ActiveResponder): void;
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>;
};

/** A responder that ends so soon signs no more: what it signs would be due at once, again and again. */
const shortestLifeMs = 10_000;

const changesAtOnce = 1000;

/** A CRL goes before the next batch for so long; a small one is done by then, and beside a large one little is signed. */
const longestPauseMs = 100;

/** Of changes, a batch takes about as long: while many are signed and a CRL is made, each gets half of the time. */
const changesPauseMs = 25;

/** Makes the loop; it sleeps until it is woken. */
export function createPreSigningLoop(parts: PreSigningLoopParts): PreSigningLoop {
  const { store, log, preSigner, post } = parts;
  let now = parts.now;
  let responder: ActiveResponder | undefined;
  let isWoken = false;
  let isClosing = false;
  let running: Promise<void> | undefined;
  let endPause = (): void => undefined;
  // What changed before is seen by whoever compares CRLs with positions when the thread is ready.
  let toldPosition = lastStatusPosition(store);

  /** CRLs are made beside responses, so word goes out before anything is signed. */
  function tellChangedScopes(): void {
    for (;;) {
      const changes = listChangedScopes(store, toldPosition, changesAtOnce);
      const scopes = new Set<string>();
      for (const { position, authority, crlScope } of changes) {
        toldPosition = position;
        if (authority !== parts.authority) continue;
        scopes.add(authority);
        if (crlScope !== '') scopes.add(crlScope);
      }
      if (scopes.size > 0) post({ kind: 'changed', scopes: [...scopes], position: toldPosition });
      if (changes.length < changesAtOnce) return;
    }
  }

  /** Signs what has changed. Of very much at once, all batches but the first let CRLs go on, which have to show it too. */
  async function signChanges(): Promise<void> {
    for (;;) {
      tellChangedScopes();
      await setImmediate();
      const batch = canSign(responder) ? await preSigner.signChanges(responder, now) : undefined;
      if (batch === undefined || isClosing) return;
      post({ kind: 'signed', certificates: batch.signed });
      if (log.progress().changePosition < lastStatusPosition(store)) await untilCrlsAreDone(changesPauseMs);
    }
  }

  /** Waits while CRLs are made, but no longer than so. */
  async function untilCrlsAreDone(longestMs: number, woken?: Promise<void>): Promise<void> {
    const done = parts.crlsDone();
    if (done === undefined) return;
    const ending = new AbortController();
    const ends = [done, pause(longestMs, ending.signal)];
    await Promise.race(woken === undefined ? ends : [...ends, woken]);
    ending.abort();
  }

  /** Signs one batch of the others. Answers whether there may be another one. */
  async function signOthers(): Promise<boolean> {
    if (!canSign(responder)) return false;
    const batch = await preSigner.signOthers(responder, now);
    if (batch === undefined) {
      post({ kind: 'idle', isCaughtUp: preSigner.isCaughtUp(), changePosition: log.progress().changePosition });
      return false;
    }
    post({ kind: 'signed', certificates: batch.signed });
    return true;
  }

  function canSign(active: ActiveResponder | undefined): active is ActiveResponder {
    return active !== undefined && active.signer.endsAt - now >= shortestLifeMs;
  }

  async function letCrlsGoFirst(): Promise<void> {
    const deadline = performance.now() + longestPauseMs;
    while (parts.crlsDone() !== undefined && !isClosing) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return;
      const woken = new Promise<void>((resolve) => {
        endPause = resolve;
      });
      await untilCrlsAreDone(leftMs, woken);
      await signChanges();
    }
  }

  async function run(): Promise<void> {
    while (isWoken && !isClosing) {
      isWoken = false;
      try {
        do {
          await signChanges();
          await letCrlsGoFirst();
        } while (!isClosing && (await signOthers()));
      } catch (error) {
        parts.onFailure(error);
      }
    }
  }

  function wake(time: number): void {
    now = time;
    isWoken = true;
    endPause();
    if (isClosing) return;
    running ??= run().finally(() => {
      running = undefined;
      if (isWoken) wake(now);
    });
  }

  return {
    wake,
    setResponder(next) {
      responder = next;
      wake(now);
    },
    async close() {
      isClosing = true;
      endPause();
      await running;
    },
  };
}

/** Until so many milliseconds are over, or `signal` says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
