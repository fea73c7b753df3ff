// Follows WatchStatus for as long as a gate lives: a stream that breaks or falls silent is begun again where it was, with
// growing pauses while no keep answers. What the reader could not take is sent to it again; nothing is passed over.

import { CertificateStatusService as procedures } from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';
import { type Caller, callStream } from './call.ts';
import { type StatusChanges, toStatusChanges } from './status-messages.ts';

/** How far a reader has got. */
export type StatusPosition = {
  /** Empty: nothing was read yet. */
  readonly epoch: string;
  readonly position: number;
};

/** What {@link watchStatus} takes. */
export type WatchOptions = {
  /** Where to begin. */
  readonly from: StatusPosition;
  /** Takes what came. The next message waits until it has; when it fails, the same comes again after a pause. */
  readonly changed: (changes: StatusChanges) => void | Promise<void>;
  /** A stream stands; told before its first message. */
  readonly connected: () => void;
  /** The stream has ended, and will be begun again. */
  readonly disconnected: (cause: unknown) => void;
  /** A stream without a message for so long is taken for dead; 15 000 unless told. */
  readonly silenceMs?: number | undefined;
  /** A stream is begun anew after so long, so that it does not outlive its credential; an hour unless told. */
  readonly longestMs?: number | undefined;
};

/** A running watch. */
export type StatusWatch = {
  /** Ends it; resolves when nothing of it runs any more. */
  close(): Promise<void>;
};

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Begins to follow. */
export function watchStatus(caller: Caller, options: WatchOptions): StatusWatch {
  const closing = new AbortController();
  const isOver = follow(caller, options, closing.signal);
  return {
    close: () => {
      closing.abort();
      return isOver;
    },
  };
}

async function follow(caller: Caller, options: WatchOptions, closing: AbortSignal): Promise<void> {
  let position = options.from;
  let failures = 0;
  while (!closing.aborted) {
    try {
      for await (const changes of readStream(caller, options, position, closing)) {
        if (isSetBack(changes, position)) {
          // A keep that was restored from a backup: it gives these positions out again, for other things.
          position = { epoch: changes.epoch, position: 0 };
          break;
        }
        await options.changed(changes);
        position = { epoch: changes.epoch, position: changes.position };
        failures = 0;
      }
    } catch (error) {
      if (closing.aborted) return;
      failures++;
      options.disconnected(error);
      await pause(failures, closing);
    }
  }
}

/** Messages of one stream; ends when it has stood long enough. @throws {CoreError} when it breaks or falls silent */
async function* readStream(
  caller: Caller,
  { silenceMs = 15_000, longestMs = 3_600_000, connected }: WatchOptions,
  { epoch, position }: StatusPosition,
  closing: AbortSignal,
): AsyncGenerator<StatusChanges, void, undefined> {
  const ending = new AbortController();
  let isSilent = false;
  let hasBegun = false;
  const end = (): void => ending.abort();
  const listen = (): NodeJS.Timeout =>
    setTimeout(() => {
      isSilent = true;
      end();
    }, silenceMs);
  let silence = listen();
  const oldAge = setTimeout(end, longestMs);
  closing.addEventListener('abort', end);
  try {
    const options = { timeoutMs: Number.POSITIVE_INFINITY, signal: ending.signal };
    for await (const message of callStream(
      caller,
      procedures.watchStatus,
      { epoch, afterPosition: position },
      options,
    )) {
      // The time that the reader takes is not the keep's.
      clearTimeout(silence);
      if (!hasBegun) connected();
      hasBegun = true;
      yield toStatusChanges(message);
      silence = listen();
    }
  } finally {
    clearTimeout(silence);
    clearTimeout(oldAge);
    closing.removeEventListener('abort', end);
  }
  if (isSilent) throw new CoreError('unavailable', `the CA core said nothing for ${silenceMs} ms`);
  if (!ending.signal.aborted) throw new CoreError('unavailable', 'the CA core ended the stream');
}

function isSetBack(changes: StatusChanges, { epoch, position }: StatusPosition): boolean {
  return changes.epoch === epoch && changes.position < position;
}

function pause(failures: number, closing: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 10));
  const timer = setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2));
  closing.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
