/**
 * Makes what a data directory lacks before the core can start: keys, database, operator's credential, and where nobody
 * configured anything, the configuration and the users for trying out. What is there is never changed. gatehouse.yaml
 * comes last, so that an interrupted first start is finished by the next one.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@gatehouse/runtime/log';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import type { DataDirectory } from '../data-directory.ts';
import type { Gate } from './gates.ts';

/** What {@link prepare} takes. */
export type PrepareOptions = {
  readonly data: DataDirectory;
  /** The gates that get users and secrets for trying out. */
  readonly gates: readonly Gate[];
  /** The organization in the CA's names. */
  readonly organization?: string | undefined;
  /** What certificates name as the place of their status, that of the issuing CA among them. */
  readonly statusUrl?: string | undefined;
  /** Text of gatehouse.yaml, where there is none. */
  readonly configuration: string;
  readonly log: Logger;
  progress(step: string): void;
};

/** Makes what is missing. Throws FatalError with a hint. */
export async function prepare(options: PrepareOptions): Promise<void> {
  const { data, gates, progress } = options;
  const isConfigured = existsSync(data.configuration);
  if (!hasKeys(data)) await makeKeys(options, isConfigured ? await configuredPassphrase(data) : undefined);
  if (isConfigured) return;
  progress('making the configuration and the users for trying out');
  for (const gate of gates) await gate.prepareDemo(data);
  writeFileAtomic(data.configuration, options.configuration);
}

/** Whether the keys and the first operator are made. */
export function hasKeys(data: DataDirectory): boolean {
  return existsSync(join(data.path, 'ca')) && existsSync(data.operatorCredential);
}

async function makeKeys(
  { data, organization, statusUrl, log, progress }: PrepareOptions,
  passphrase: string | undefined,
): Promise<void> {
  const { initialize } = await import('@gatehouse/ca-core/initialize');
  await initialize({ directory: data.path, organization, passphrase, statusUrl, log, progress });
}

/** The passphrase that the core will use, where the operator keeps it elsewhere than in the directory. */
async function configuredPassphrase(data: DataDirectory): Promise<string | undefined> {
  const [{ loadConfiguration }, { coreConfigurationSchema }, { readSecret }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/ca-core/configuration'),
    import('@gatehouse/runtime/secret'),
  ]);
  const { keys } = loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file: data.configuration });
  const { passphrase } = keys;
  // The one place where the passphrase is made up when there is none.
  if ('file' in passphrase && passphrase.file === 'secrets/passphrase') return undefined;
  return readSecret(passphrase, data.path);
}
