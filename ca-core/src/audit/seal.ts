// Seals the audit log: a signed statement of where the chain stands, kept in a file outside the database, so that
// cutting the log off is found.
// Only what is on the disk is sealed, so a seal never promises a record that a crash could take back.

import type { KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { readAuditRecords } from '../store/audit-events.ts';
import type { Store } from '../store/open-store.ts';
import type { AuditHead } from './chain.ts';
import { openSealFile, readSealFileEnd } from './seal-file.ts';
import { noPreviousSeal, readSealLine, sealLineHash, writeSealLine } from './seal-line.ts';

/** What {@link openAuditSeals} takes. */
export type AuditSealOptions = {
  /** audit/seals.jsonl, in an existing directory. */
  readonly file: string;
  /** The audit key, private Ed25519. */
  readonly key: KeyObject;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a chain that has grown is sealed; one second unless told. */
  readonly intervalMs?: number | undefined;
};

/** Seals the chain of this instance while it runs. */
export type AuditSeals = {
  /** Seals now, if there is something to seal. Throws what node:fs throws. */
  seal(): Promise<void>;
  /** Records that no seal covers yet: the audit lag. */
  lag(): number;
  /** What was found wrong with the last seal at start, or why sealing fails now; for readiness. */
  problem(): string | undefined;
  /** The last seal. Call it before the store is closed. */
  close(): Promise<void>;
};

/**
 * Opens the file of seals, compares its last seal with the database, and seals at once.
 *
 * @throws {Error} of node:fs when the file cannot be opened or written
 * @throws {CoreError} `unavailable` when the store cannot be read
 */
export async function openAuditSeals(options: AuditSealOptions): Promise<AuditSeals> {
  const handle = await openSealFile(options.file);
  try {
    return await continueSeals(handle, options);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function continueSeals(handle: FileHandle, options: AuditSealOptions): Promise<AuditSeals> {
  const { key, store, clock, log, intervalMs = 1000 } = options;
  const { line, end } = await readSealFileEnd(handle);
  // What follows the last line's end is what a crash left of a seal.
  await handle.truncate(end);
  const rollback = findRollback(store, line, key);
  if (rollback !== undefined) log.error(`the audit log does not fit its last seal: ${rollback}`);

  let sealed: AuditHead | undefined;
  let previous = line === undefined ? noPreviousSeal : sealLineHash(line);
  let length = end;
  let failure: string | undefined;
  let running: Promise<void> = Promise.resolve();

  async function append(): Promise<void> {
    const head = store.auditHead();
    if (sealed?.sequence === head.sequence) return;
    const next = writeSealLine({ at: clock.now(), heads: [head], previous }, key);
    try {
      length = await appendLine(handle, next, length);
      if (failure !== undefined) log.info('the audit log can be sealed again');
      failure = undefined;
    } catch (error) {
      if (failure === undefined) log.error({ err: error }, 'cannot seal the audit log');
      failure = 'the audit log cannot be sealed';
      throw error;
    }
    sealed = head;
    previous = sealLineHash(next);
  }

  function seal(): Promise<void> {
    // One after the other: each covers the one before.
    const result = running.then(append);
    running = result.catch(() => undefined);
    return result;
  }

  await seal();
  // A failure is logged and seen in problem(); the next tick tries again.
  const timer = setInterval(() => void seal().catch(() => undefined), intervalMs).unref();

  return {
    seal,
    lag: () => store.auditHead().sequence - (sealed?.sequence ?? 0),
    problem: () => failure ?? rollback,
    close: async () => {
      clearInterval(timer);
      try {
        await seal();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Appends a line durably; returns the new length. A line that was written in part is taken back. */
async function appendLine(handle: FileHandle, line: string, length: number): Promise<number> {
  const octets = Buffer.from(`${line}\n`);
  try {
    await handle.appendFile(octets);
    await handle.datasync();
    return length + octets.length;
  } catch (error) {
    await handle.truncate(length);
    throw error;
  }
}

/** What the database lacks of what its last seal promised: somebody has put an older copy in its place. */
function findRollback(store: Store, line: string | undefined, key: KeyObject): string | undefined {
  if (line === undefined) {
    return store.auditHead().sequence === 0 ? undefined : 'there is a log, but there are no seals';
  }
  const seal = readSealLine(line, key);
  if (seal === undefined) return 'the last seal cannot be read or was not signed by the audit key';
  for (const { instance, sequence, mac } of seal.heads) {
    if (sequence === 0) continue;
    const [record] = readAuditRecords(store, instance, sequence - 1, 1);
    if (record?.sequence !== sequence) return `record ${sequence} of ${instance} is missing`;
    if (Buffer.compare(record.mac, mac) !== 0) return `record ${sequence} of ${instance} is another one`;
  }
  return undefined;
}
