// Passwords that are good for a counted number of enrollments. A use is spent durably before the keep is asked, and
// belongs to one request: its retries are free, and it is given back when the keep refuses.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import { z } from 'zod';
import type { User } from './users.ts';

/** Counts uses. */
export type SpentUses = {
  /**
   * Spends a use of the user's password for the request with this key.
   *
   * @returns whether there was one left, or the request had one already; users without a count always have one
   * @throws {FatalError} when the count cannot be written: nothing is enrolled that is not counted
   */
  spend(user: User, requestKey: string): boolean;
  /** The keep refused: the use counts again. */
  giveBack(user: User, requestKey: string): void;
};

const fileSchema = z.record(z.string(), z.array(z.string()));

/**
 * Opens the counts kept in `file`.
 *
 * @throws {FatalError} when the file is not in order
 */
export function openSpentUses(file: string): SpentUses {
  const spent = load(file);
  const save = (): void => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writePrivateFile(file, `${JSON.stringify(Object.fromEntries(spent))}\n`);
  };
  return {
    spend: (user, requestKey) => {
      if (user.uses === undefined) return true;
      const id = secretDigest(user);
      const keys = spent.get(id) ?? [];
      if (keys.includes(requestKey)) return true;
      if (keys.length >= user.uses) return false;
      spent.set(id, [...keys, requestKey]);
      try {
        save();
      } catch (error) {
        spent.set(id, keys);
        throw error;
      }
      return true;
    },
    giveBack: (user, requestKey) => {
      const id = secretDigest(user);
      const keys = spent.get(id);
      if (user.uses === undefined || keys === undefined) return;
      const rest = keys.filter((key) => key !== requestKey);
      if (rest.length === keys.length) return;
      spent.set(id, rest);
      save();
    },
  };
}

function load(file: string): Map<string, readonly string[]> {
  if (!existsSync(file)) return new Map();
  try {
    return new Map(Object.entries(fileSchema.parse(JSON.parse(readPrivateFile(file).toString('utf8')))));
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    // Starting afresh would make every spent password good again.
    throw new FatalError(`${file} is not a record of spent uses`, {
      hint: 'restore it, or remove it knowingly',
      cause,
    });
  }
}

// By the stored secret: a new password for the same name begins a new count.
function secretDigest(user: User): string {
  return createHash('sha256').update(`${user.name}\n${user.secretId}`).digest('hex');
}
