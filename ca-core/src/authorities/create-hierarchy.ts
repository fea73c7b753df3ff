// Makes the hierarchy of a data directory: root, issuing CA, service CA, the root's CRL and the audit key. It is all there or not there
// at all, whenever the machine stops: everything is written into a folder of another name, which is then renamed. It must
// never overwrite a hierarchy, nor a trust anchor that somebody may already have installed.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { encodePem } from '@gatehouse/pkix/pem';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { type KeyAlgorithm, saveEncryptedKey } from '../keys/software-key.ts';
import { createSoftwareSigner } from '../keys/software-signer.ts';
import { statusUrlSchema } from '../revocation/status-configuration.ts';
import { certificateFile, hierarchyFolder, keyFile, rootCrlFile, stagingPrefix, trustAnchorFile } from './files.ts';
import { generateHierarchy, type Hierarchy } from './generate-hierarchy.ts';
import { publishTrust } from './publish-trust.ts';
import { syncDirectory } from './sync-directory.ts';
import { writeRootCrl } from './write-root-crl.ts';

/** How a hierarchy is made. */
export type HierarchyOptions = {
  /** The data directory; made if it does not exist. */
  readonly directory: string;
  /** Opens the keys that the running core needs: issuing, service, audit. */
  readonly passphrase: string;
  /** Opens the root's key. */
  readonly rootPassphrase: string;
  /** organizationName of all three CAs, 1 to 64 characters; 'Gatehouse' unless told. */
  readonly organization?: string | undefined;
  /**
   * Base URL of the status gate: the issuing CA's certificate then says where the root's CRL and certificate are. Without
   * it, it names no place, which cannot be made good later.
   */
  readonly statusUrl?: string | undefined;
  /** Of the issuing CA's key; P-256 unless told. */
  readonly algorithm?: KeyAlgorithm | undefined;
  readonly clock: Clock;
};

/**
 * Makes root (P-384, 20 years), issuing CA (P-256, 10 years), service CA (P-256, 10 years, self-signed) and audit key
 * (Ed25519), the root's first CRL, and publishes the trust anchor. What an earlier attempt that was cut off left behind is removed.
 *
 * @throws {FatalError} when there is a hierarchy or a trust anchor already, the status URL is none, or it cannot be
 *   written
 */
export async function createHierarchy(options: HierarchyOptions): Promise<void> {
  const { directory } = options;
  const folder = hierarchyFolder(directory);
  const statusUrl = options.statusUrl === undefined ? undefined : readStatusUrl(options.statusUrl);
  refuseExisting(directory, folder);
  const staging = stage(directory);
  try {
    const hierarchy = generateHierarchy({
      organization: options.organization ?? 'Gatehouse',
      now: options.clock.now(),
      statusUrl,
      algorithm: options.algorithm,
    });
    for (const key of Object.values(hierarchy.keys)) await createSoftwareSigner(key).selfTest();
    writeHierarchy(staging, hierarchy, options);
    await writeFirstRootCrl(staging, hierarchy, options.clock);
    // Before the rename: whoever finds the hierarchy finds the trust anchor too.
    publishTrust(directory, staging);
    commit(directory, staging, folder);
  } catch (cause) {
    throw cause instanceof FatalError ? cause : cannotWrite(directory, cause);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function refuseExisting(directory: string, folder: string): void {
  if (existsSync(folder)) {
    throw new FatalError(`${folder} exists already: there is a hierarchy in this data directory`, {
      hint: 'use it, or choose another data directory; a hierarchy is never overwritten',
    });
  }
  // A trust anchor without a hierarchy is either ours, cut off before the rename, or that of keys somebody moved away.
  if (existsSync(trustAnchorFile(directory)) && leftovers(directory).length === 0) {
    throw new FatalError(`${trustAnchorFile(directory)} exists but ${folder} does not`, {
      hint: 'restore the keys from a backup, or move the old trust anchor away if nobody relies on it',
    });
  }
}

function leftovers(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => name.startsWith(stagingPrefix));
}

function stage(directory: string): string {
  const staging = join(directory, `${stagingPrefix}${randomBytes(6).toString('hex')}`);
  try {
    mkdirSync(directory, { recursive: true });
    // Keys that were never in use; nothing was ever signed for anybody with them.
    const old = leftovers(directory);
    mkdirSync(staging, { mode: 0o700 });
    for (const name of old) rmSync(join(directory, name), { recursive: true, force: true });
    return staging;
  } catch (cause) {
    throw cannotWrite(directory, cause);
  }
}

function writeHierarchy(staging: string, { keys, certificates }: Hierarchy, options: HierarchyOptions): void {
  const { passphrase, rootPassphrase } = options;
  saveEncryptedKey(keyFile(staging, 'root'), keys.root, rootPassphrase);
  saveEncryptedKey(keyFile(staging, 'issuing'), keys.issuing, passphrase);
  saveEncryptedKey(keyFile(staging, 'service'), keys.service, passphrase);
  saveEncryptedKey(keyFile(staging, 'audit'), keys.audit, passphrase);
  for (const name of ['root', 'issuing', 'service'] as const) {
    writeFileAtomic(certificateFile(staging, name), encodePem('CERTIFICATE', certificates[name]), 0o644);
  }
}

/** It revokes nothing, and says so for a year. */
async function writeFirstRootCrl(staging: string, { keys, certificates }: Hierarchy, clock: Clock): Promise<void> {
  const root = readCertificate(certificates.root);
  await writeRootCrl(rootCrlFile(staging), {
    root,
    signer: createSoftwareSigner(keys.root),
    // As far back as the certificates, for relying parties whose clock is a little behind.
    thisUpdate: root.notBefore,
    crlNumber: clock.now().getTime(),
    entries: [],
  });
}

function readStatusUrl(text: string): string {
  const read = statusUrlSchema.safeParse(text);
  if (read.success) return read.data;
  const [problem] = read.error.issues;
  throw new FatalError(`the status URL ${JSON.stringify(text)} ${problem?.message ?? 'is none'}`, {
    hint: 'give it as relying parties will reach the status gate: http://status.example.com',
  });
}

function commit(directory: string, staging: string, folder: string): void {
  try {
    renameSync(staging, folder);
  } catch (cause) {
    if (!existsSync(folder)) throw cause;
    // Another process was faster: its trust anchor is the one that counts.
    publishTrust(directory, folder);
    throw new FatalError(`${folder} was made by another process at the same time`, {
      hint: 'start again: the hierarchy that is there will be used',
      cause,
    });
  }
  syncDirectory(directory);
  // Another process may have published its own before it lost.
  publishTrust(directory, folder);
}

function cannotWrite(directory: string, cause: unknown): FatalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FatalError(`cannot make a hierarchy in ${directory}: ${reason}`, {
    hint: 'check that the directory is writable and the disk is not full; nothing was changed',
    cause,
  });
}
