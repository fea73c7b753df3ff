// The core's side of the writer thread: hands over one group at a time and waits for what became of it.
// A thread that is gone is an outage like a full disk: its group is refused, and another thread is started.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AuditKeys } from '../audit/chain.ts';
import type { Group, GroupResult } from './group-writer.ts';
import type { GroupMessage, WriterThreadData } from './writer-thread.ts';

/** A thread that writes groups. */
export type Writer = {
  /** Whether it can take a group now. */
  isReady(): boolean;
  /** Writes a group; only one at a time. Never rejects. */
  write(group: Group): Promise<GroupResult>;
  /** Writes the log of the database back, after what is under way. */
  checkpoint(): void;
  /** Ends the thread after the group under way. */
  close(): Promise<void>;
};

/** What {@link startWriter} takes. */
export type WriterOptions = {
  /** Path of the database, which exists. */
  readonly file: string;
  readonly instance: string;
  readonly keys: AuditKeys;
  /** Called when the thread ended although nobody asked it to, with the reason for the log. */
  onEnded(reason: string): void;
};

/** Starts the thread; it is ready some tens of milliseconds later. */
export function startWriter(options: WriterOptions): Writer {
  const { file, instance, keys, onEnded } = options;
  const workerData: WriterThreadData = { file, instance, keys };
  let worker: Worker;
  let isReady = false;
  let isClosing = false;
  let hasEnded = false;
  let numbers: Map<string, number>;
  let answer: ((result: GroupResult) => void) | undefined;

  function start(): void {
    isReady = false;
    numbers = new Map();
    worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData, name: 'store-writer' });
    // A process that has nothing else to do may end; while a group is under way the thread holds it.
    worker.unref();
    let reason = 'the writer thread ended';
    worker.on('error', (error) => {
      reason = `the writer thread failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    worker.on('message', (message: 'ready' | GroupResult) => {
      if (message === 'ready') isReady = true;
      else answer?.(message);
    });
    worker.on('exit', () => {
      answer?.({ kind: 'outage', code: 'other', message: reason });
      if (!isClosing) onEnded(reason);
      // One that could not even start would not start a second time either.
      if (isReady && !isClosing) return start();
      isReady = false;
      hasEnded = true;
    });
  }

  function toMessage({ sets, at }: Group): GroupMessage {
    const newTexts: string[] = [];
    const numberOf = (sql: string): number => {
      const known = numbers.get(sql);
      if (known !== undefined) return known;
      numbers.set(sql, numbers.size);
      newTexts.push(sql);
      return numbers.size - 1;
    };
    return {
      newTexts,
      sets: sets.map(({ operations, events }) => ({
        operations: operations.map(([sql, parameters, rows]) => [numberOf(sql), parameters, rows] as const),
        events,
      })),
      at,
    };
  }

  start();
  return {
    isReady: () => isReady,
    write: (group) =>
      new Promise((resolve) => {
        answer = (result) => {
          answer = undefined;
          worker.unref();
          resolve(result);
        };
        worker.ref();
        worker.postMessage(toMessage(group));
      }),
    checkpoint: () => worker.postMessage('checkpoint'),
    close: async () => {
      isClosing = true;
      if (hasEnded) return;
      const ended = once(worker, 'exit');
      worker.ref();
      worker.postMessage('close');
      await ended;
    },
  };
}
