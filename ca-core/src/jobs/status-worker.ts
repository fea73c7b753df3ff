/**
 * The core's side of the status thread: starts it, tells it the time, hands tasks over, and starts another one when it
 * ends. Whoever waits for a task of a thread that is gone is told so, and asks again.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { OcspResponder } from '../authorities/ocsp-responder.ts';
import { retryDelayMs } from './crl-schedule.ts';
import type {
  FromStatusThread,
  StatusThreadData,
  StatusThreadTasks,
  ToStatusThread,
} from './status-thread-messages.ts';

/** What the thread says by itself. */
export type StatusThreadEvents = {
  /** It has opened its databases, for the first time or again. */
  onReady(): void;
  onSigned(certificates: number): void;
  onChanged(scopes: readonly string[], position: number): void;
  onIdle(state: { readonly isCaughtUp: boolean; readonly changePosition: number }): void;
  onRestart(): void;
};

/** What {@link startStatusWorker} takes. */
export type StatusWorkerOptions = {
  readonly data: Omit<StatusThreadData, 'now'>;
  readonly responder: OcspResponder;
  readonly events: StatusThreadEvents;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A thread that is kept alive. */
export type StatusWorker = {
  /** Tells it the time, and so to look for work. */
  wake(): void;
  setResponder(responder: OcspResponder): void;
  /** Carries a task out. Rejects with CoreError `unavailable` when there is no thread, or it could not. */
  run<Kind extends keyof StatusThreadTasks>(
    kind: Kind,
    task: StatusThreadTasks[Kind]['task'],
  ): Promise<StatusThreadTasks[Kind]['result']>;
  isReady(): boolean;
  /** Why it does not work, for readiness. */
  problem(): string | undefined;
  close(): Promise<void>;
};

type Waiting = { resolve(result: unknown): void; reject(error: CoreError): void };

/** A thread that has worked for so long did not fail at its start. */
const soundAfterMs = 60_000;

/** Starts the thread; it is ready some tens of milliseconds later. */
export function startStatusWorker(options: StatusWorkerOptions): StatusWorker {
  const { data, events, clock, log } = options;
  const waiting = new Map<number, Waiting>();
  let responder = options.responder;
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let isReady = false;
  let isClosing = false;
  let lastId = 0;
  let failures = 0;
  let trouble: string | undefined;

  const now = (): number => clock.now().getTime();
  const post = (message: ToStatusThread): void => worker?.postMessage(message);

  function start(): void {
    const workerData: StatusThreadData = { ...data, now: now() };
    const started = new Worker(new URL('./status-thread.ts', import.meta.url), { workerData, name: 'status' });
    const startedAt = performance.now();
    worker = started;
    started.unref();
    let reason = 'it ended';
    started.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    started.on('message', (message: FromStatusThread) => receive(message));
    started.on('exit', () => ended(reason, performance.now() - startedAt));
    tellResponder();
  }

  function ended(reason: string, livedMs: number): void {
    worker = undefined;
    isReady = false;
    refuseWaiting(reason);
    if (isClosing) return;
    failures = livedMs > soundAfterMs ? 1 : failures + 1;
    log.error({ reason }, 'the status thread ended; another one is started');
    events.onRestart();
    restart = setTimeout(start, retryDelayMs(failures));
    restart.unref();
  }

  function refuseWaiting(reason: string): void {
    for (const { reject } of waiting.values()) reject(unavailable(reason));
    waiting.clear();
  }

  function receive(message: FromStatusThread): void {
    switch (message.kind) {
      case 'ready':
        isReady = true;
        events.onReady();
        return;
      case 'signed':
        recovered();
        events.onSigned(message.certificates);
        return;
      case 'changed':
        events.onChanged(message.scopes, message.position);
        return;
      case 'idle':
        recovered();
        events.onIdle(message);
        return;
      case 'trouble':
        if (trouble === undefined) log.error({ reason: message.reason }, 'OCSP responses cannot be signed in advance');
        trouble = message.reason;
        return;
      case 'discarded':
        log.warn({ reason: message.reason }, 'the database of OCSP responses is given up and made anew');
        return;
      case 'done':
        waiting.get(message.id)?.resolve(message.result);
        waiting.delete(message.id);
        return;
      case 'failed':
        waiting.get(message.id)?.reject(unavailable(message.reason));
        waiting.delete(message.id);
        return;
    }
  }

  function recovered(): void {
    if (trouble !== undefined) log.info('OCSP responses are signed in advance again');
    trouble = undefined;
  }

  function tellResponder(): void {
    post({ kind: 'responder', certificate: responder.certificate.der, key: responder.key });
  }

  start();
  return {
    wake: () => post({ kind: 'time', now: now() }),
    setResponder(next) {
      responder = next;
      tellResponder();
    },
    run: (kind, task) =>
      new Promise((resolve, reject) => {
        if (!isReady) return reject(unavailable('it is not ready'));
        lastId += 1;
        // The thread answers a task with what the table of tasks says.
        waiting.set(lastId, { resolve: resolve as (result: unknown) => void, reject });
        worker?.postMessage({ kind, id: lastId, task });
      }),
    isReady: () => isReady,
    problem: () => (isReady ? trouble : 'the status thread is not running'),
    async close() {
      isClosing = true;
      clearTimeout(restart);
      if (worker === undefined) return;
      const exited = once(worker, 'exit');
      worker.ref();
      post({ kind: 'close' });
      await exited;
    },
  };
}

function unavailable(reason: string): CoreError {
  return new CoreError('unavailable', 'the CA cannot make this at the moment', {
    retryAfterSeconds: 1,
    cause: new Error(`the status thread: ${reason}`),
  });
}
