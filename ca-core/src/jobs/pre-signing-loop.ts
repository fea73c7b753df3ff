/**
 * Runs the pre-signer in its thread: batch after batch while there is something to sign, with a turn for everything else
 * between two of them. A failure is told once and tried again with the next word of the time; nothing is passed over.
 */
import { setImmediate } from 'node:timers/promises';
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

/** Makes the loop; it sleeps until it is woken. */
export function createPreSigningLoop(parts: PreSigningLoopParts): PreSigningLoop {
  const { store, log, preSigner, post } = parts;
  let now = parts.now;
  let responder: ActiveResponder | undefined;
  let isWoken = false;
  let isClosing = false;
  let running: Promise<void> | undefined;
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

  /** Signs one batch. Answers whether there may be another one. */
  async function signOne(): Promise<boolean> {
    if (responder === undefined || responder.signer.endsAt - now < shortestLifeMs) return false;
    const { kind, signed } = await preSigner.signBatch(responder, now);
    if (kind !== 'nothing') {
      post({ kind: 'signed', certificates: signed });
      return true;
    }
    post({ kind: 'idle', isCaughtUp: preSigner.isCaughtUp(), changePosition: log.progress().changePosition });
    return false;
  }

  async function run(): Promise<void> {
    while (isWoken && !isClosing) {
      isWoken = false;
      try {
        do {
          tellChangedScopes();
          await setImmediate();
        } while (!isClosing && (await signOne()));
      } catch (error) {
        parts.onFailure(error);
      }
    }
  }

  function wake(time: number): void {
    now = time;
    isWoken = true;
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
      await running;
    },
  };
}
