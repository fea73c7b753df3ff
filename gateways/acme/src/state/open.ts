// Opens the database of the gate: a file of its own, or one PostgreSQL for all copies of it.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateMigration, type StateStore } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import { readSecret } from '@gatehouse/runtime/secret';
import type { AcmeConfiguration } from '../config.ts';
import { initial } from './migrations/0001-initial.ts';

/** All steps, in the order of their names. */
export const migrations: Readonly<Record<string, StateMigration>> = { '0001-initial': initial };

/** What {@link openAcmeState} takes. */
export type OpenStateOptions = {
  readonly database: AcmeConfiguration['database'];
  /** Folder of gatehouse.yaml. */
  readonly directory: string;
  resolvePath(path: string): string;
  readonly log: Logger;
  readonly clock: Clock;
};

/**
 * Opens the database and brings it to the present form.
 *
 * @throws {FatalError} when it cannot be opened
 */
export async function openAcmeState(options: OpenStateOptions): Promise<StateStore> {
  const { database, directory, resolvePath, log, clock } = options;
  if ('postgres' in database) {
    const address = readSecret(database.postgres, directory, process.env, 'acme.database.postgres');
    return await openStateStore({ database: { postgres: address }, migrations, log, clock });
  }
  const file = resolvePath(database.file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return await openStateStore({ database: { file }, migrations, log, clock });
}
