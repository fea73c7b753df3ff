/**
 * Makes a data directory: keys and hierarchy, database, and the first operator's credential. What is there already is
 * kept as it is, so that a second run finds what the first made and an interrupted one is finished.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import { createAuditChain } from './audit/chain.ts';
import { openAuditSeals } from './audit/seal.ts';
import { createHierarchy } from './authorities/create-hierarchy.ts';
import { loadAuthorities } from './authorities/load-authorities.ts';
import { keysGenerated } from './authorities/record-hierarchy.ts';
import { makeOperatorCredential } from './credentials/operator-credential.ts';
import { holdDataDirectory } from './hold-data-directory.ts';
import type { KeyAlgorithm } from './keys/software-key.ts';
import { refuseLostDatabase } from './refuse-lost-database.ts';
import { coreUri } from './registry/caller.ts';
import { explainStartFailure } from './start-failure.ts';
import { openStore } from './store/open-store.ts';

/** What {@link initialize} takes. */
export type InitializeOptions = {
  /** The data directory. */
  readonly directory: string;
  /** The organization in the CA's names. */
  readonly organization?: string | undefined;
  /** Base URL of the status gate, for the issuing CA's certificate; without one it names no CRL. */
  readonly statusUrl?: string | undefined;
  /** Of the issuing CA's key; P-256 unless told. */
  readonly algorithm?: KeyAlgorithm | undefined;
  /** Passphrase of the online keys; without one it is made and kept in secrets/passphrase. */
  readonly passphrase?: string | undefined;
  /** Passphrase of the root key; without one it is made and kept in secrets/root-passphrase. */
  readonly rootPassphrase?: string | undefined;
  readonly log: Logger;
  /** Told before each step that takes a while. */
  progress(step: string): void;
};

/** What the operator is called that is made first. */
const firstOperator = 'admin';

/** Makes what is missing. Throws FatalError with a hint when the directory cannot be used. */
export async function initialize(options: InitializeOptions): Promise<void> {
  const { directory } = options;
  makeDirectories(directory);
  const credentialFile = join(directory, 'operators', `${firstOperator}.pem`);
  const hasHierarchy = existsSync(join(directory, 'ca'));
  if (hasHierarchy && existsSync(credentialFile)) return;

  const release = await holdDataDirectory(directory);
  try {
    const passphrase = options.passphrase ?? keptSecret(join(directory, 'secrets/passphrase'), hasHierarchy);
    if (!hasHierarchy) {
      options.progress('making the keys of the root, issuing and service CAs');
      await createHierarchy({
        directory,
        passphrase,
        rootPassphrase: options.rootPassphrase ?? keptSecret(join(directory, 'secrets/root-passphrase'), false),
        organization: options.organization,
        statusUrl: options.statusUrl,
        algorithm: options.algorithm,
        clock: systemClock,
      });
    }
    options.progress("making the database and the operator's credential");
    await makeFirstOperator(options, passphrase, credentialFile);
  } catch (error) {
    throw explainStartFailure(error, directory);
  } finally {
    release();
  }
}

async function makeFirstOperator(options: InitializeOptions, passphrase: string, file: string): Promise<void> {
  const { directory, log } = options;
  const authorities = loadAuthorities({ directory, passphrase, clock: systemClock });
  const { service, auditKey } = authorities;
  const databaseFile = join(directory, 'core.db');
  const sealsFile = join(directory, 'audit/seals.jsonl');
  refuseLostDatabase(databaseFile, sealsFile);
  const store = await openStore({
    file: databaseFile,
    audit: createAuditChain({ key: auditKey }),
    clock: systemClock,
    log,
  });
  const seals = await openAuditSeals({
    file: sealsFile,
    key: auditKey,
    store,
    clock: systemClock,
    log,
  });
  try {
    const actor = coreUri(store.instance.id);
    // Only the first run finds an empty log; one that was interrupted after this has told it already.
    if (store.auditHead().sequence === 0) {
      await store.commit({ operations: [], events: keysGenerated(authorities, actor) });
    }
    const issuer = { service, instancePrefix: store.instance.serialNumberPrefix, clock: systemClock };
    writePrivateFile(file, await makeOperatorCredential(issuer, store, { name: firstOperator, actor }));
  } finally {
    await seals.close();
    await store.close();
  }
}

function makeDirectories(directory: string): void {
  try {
    for (const folder of ['', 'secrets', 'operators', 'run', 'audit', 'profiles']) {
      mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new FatalError(
      `cannot make the data directory ${directory}: ${cause instanceof Error ? cause.message : cause}`,
      {
        hint: `choose another with --data DIR, or see who may write in ${dirname(directory)}`,
        cause,
      },
    );
  }
}

/** A random secret that is made once. Where keys exist that it opens, a new one would lock them for good. */
function keptSecret(file: string, mustExist: boolean): string {
  if (mustExist || existsSync(file)) return readPrivateFile(file).toString('utf8').trimEnd();
  const secret = randomBytes(32).toString('base64url');
  writePrivateFile(file, `${secret}\n`);
  return secret;
}
