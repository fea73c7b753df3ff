/**
 * Opens the database of the ACME gate as it is configured, for the operator's commands. They work beside a running gate, and
 * what they change it sees with its next request; no core is needed.
 */
import { resolve } from 'node:path';
import { type AcmeConfiguration, acmeSchema } from '@gatehouse/gateway-acme/config';
import { openAcmeState } from '@gatehouse/gateway-acme/state/open';
import { systemClock } from '@gatehouse/runtime/clock';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { existingDataDirectory } from '../data-directory.ts';

/** Of all commands for the ACME gate. */
export type AcmeOptions = { readonly data?: string | undefined; readonly json?: boolean | undefined };

/** Of those that list something. */
export type AcmeListOptions = AcmeOptions & { readonly limit?: number | undefined };

/** What a command works with. */
export type AcmeState = { readonly store: StateStore; readonly configuration: AcmeConfiguration };

/** Rows of a list unless `--limit` says otherwise. */
export const defaultLimit = 100;

/** Runs `use` with the database and closes it afterwards. */
export async function withAcmeState<Result>(
  options: AcmeOptions,
  use: (state: AcmeState) => Promise<Result>,
): Promise<Result> {
  const { path: directory, configuration: file } = existingDataDirectory(options.data);
  const configuration = loadConfiguration({ schema: acmeSchema, section: 'acme', file });
  const store = await openAcmeState({
    database: configuration.database,
    directory,
    resolvePath: (path) => resolve(directory, path),
    // The command itself says what went wrong.
    log: createLog({ name: 'gatehouse', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'silent' }),
    clock: systemClock,
  });
  try {
    return await use({ store, configuration });
  } finally {
    await store.close();
  }
}
