// Writes lines to a file descriptor in the background: a reader that is slow does not stop the event loop, and one that
// is gone does not stop the process, neither now nor at its end. It must never throw and never wait for ever.

import { write as writeAsync, writeSync } from 'node:fs';

/** Where lines go. */
export type LineWriter = {
  /** Takes one line with its line end. */
  write(line: string): void;
  /** Writes what is waiting before it returns, for the end of the process; `done` is called afterwards. */
  flush(done?: (error?: Error) => void): void;
};

const maximumWaiting = 16 * 1024 * 1024;
const retryMs = 20;
/** How long the end of the process waits for a reader that does not read. */
const patienceMs = 1_000;

/**
 * Opens a writer. What a reader does not take is lost above `limit` characters, and counted: the count is told when it
 * reads again.
 *
 * @param fd an open file descriptor: 2 is standard error
 */
export function openLineWriter(fd: number, limit: number = maximumWaiting): LineWriter {
  let waiting: string[] = [];
  let waitingLength = 0;
  let lost = 0;
  let isWriting = false;
  let isGone = false;

  function take(): Buffer {
    const text = lost === 0 ? waiting.join('') : `${waiting.join('')}${lostLine(lost)}`;
    waiting = [];
    waitingLength = 0;
    lost = 0;
    return Buffer.from(text);
  }

  function giveUp(): void {
    isGone = true;
    isWriting = false;
    waiting = [];
  }

  function writeNext(rest: Buffer): void {
    isWriting = true;
    writeAsync(fd, rest, (error, written) => {
      if (error !== null && isBusy(error)) {
        setTimeout(writeNext, retryMs, rest);
      } else if (error !== null) {
        giveUp();
      } else if (written < rest.length) {
        writeNext(rest.subarray(written));
      } else {
        isWriting = false;
        if (waiting.length > 0) writeNext(take());
      }
    });
  }

  function flush(done?: (error?: Error) => void): void {
    // What is being written now is finished by the thread pool, also at the end of the process.
    if (!isGone && waiting.length > 0 && !writeWithin(fd, take(), patienceMs)) giveUp();
    done?.();
  }

  process.on('exit', () => flush());
  return {
    write(line) {
      if (isGone) return;
      if (waitingLength > limit) {
        lost++;
        return;
      }
      waiting.push(line);
      waitingLength += line.length;
      if (!isWriting) writeNext(take());
    },
    flush,
  };
}

/** Whether all was written; a reader that is gone, or does not read in time, gets no more. */
function writeWithin(fd: number, octets: Buffer, timeMs: number): boolean {
  const deadline = performance.now() + timeMs;
  let rest = octets;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
  return true;
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');
}

function lostLine(count: number): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lost: count, msg: 'log lines were lost: nobody read them' })}\n`;
}
