// Follows a file that people and programs replace while a process runs. It looks (stat) instead of being told, which also
// works on file systems without notifications, and remembers what it saw before the first reading: a change that comes in
// between is seen at the next look. What cannot be read leaves what was read before.

import { statSync } from 'node:fs';

/** What {@link followFile} takes. */
export type FollowOptions<T> = {
  readonly file: string;
  /** How often the file is looked at. */
  readonly intervalMs: number;
  /** Reads the file; throws when it cannot be used. */
  readonly read: () => T;
  /** Takes what was read from a changed file. */
  readonly changed: (value: T) => void;
  /** Told when a changed file cannot be used. */
  readonly failed: (error: unknown) => void;
};

/** A file that is being followed. */
export type FollowedFile<T> = {
  /** What the file held at first. */
  readonly first: T;
  /** Looks now, rather than at the next interval: for whoever must not act on what a change has overtaken. */
  look(): void;
  /** Ends it. */
  close(): void;
};

/** Reads a file and follows it. The timer does not keep the process alive. Throws what the first `read` throws. */
export function followFile<T>({ file, intervalMs, read, changed, failed }: FollowOptions<T>): FollowedFile<T> {
  let seen = versionOf(file);
  const first = read();
  const look = (): void => {
    const now = versionOf(file);
    if (now === seen) return;
    seen = now;
    let value: T;
    try {
      value = read();
    } catch (error) {
      failed(error);
      return;
    }
    changed(value);
  };
  const timer = setInterval(look, intervalMs).unref();
  return { first, look, close: () => clearInterval(timer) };
}

function versionOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    // Gone or out of reach: reading it says why, once.
    return String(error);
  }
}
