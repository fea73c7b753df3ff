// Opens the keep's database: brings it to the present form, makes its identity, and hands out the one way to read and
// the one way to write.
// Nothing else in the core opens the file, and nothing is written past commit(): what changes state is audited in the
// same transaction.

import type { Clock } from '@gatehouse/runtime/clock';
import { migrate } from '@gatehouse/runtime/database/migrate';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import type { Logger } from '@gatehouse/runtime/log';
import type { Kysely } from 'kysely';
import { type AuditChain, type AuditHead, emptyHead } from '../audit/chain.ts';
import { findAuditHead } from './audit-events.ts';
import type { Database } from './database.ts';
import { outageOf, type StoreFailure } from './failure.ts';
import { createGroupCommit } from './group-commit.ts';
import { writeGroup } from './group-writer.ts';
import { ensureInstance, type StoreInstance } from './instance.ts';
import { writeMeta } from './meta.ts';
import { migrations } from './migrations.ts';
import { createStatements, type StoreReader } from './statements.ts';
import type { WriteSet } from './write-set.ts';
import { startWriter } from './writer.ts';

/** What {@link openStore} takes. */
export type StoreOptions = {
  /** Path of core.db; ':memory:' for tests. */
  readonly file: string;
  readonly audit: AuditChain;
  readonly clock: Clock;
  readonly log: Logger;
};

/** The durable memory of a core. */
export type Store = StoreReader & {
  readonly instance: StoreInstance;
  /**
   * For reads off the hot path. Do not stream with it: that would hold up every commit. Writes go through {@link
   * Store.commit}.
   */
  readonly kysely: Kysely<Database>;
  /**
   * Makes a set durable, together with all that wait for the disk.
   *
   * @throws {CoreError} `unavailable` when the store cannot write (the next call tries again); else the set's own
   * failure. Then nothing of the set is stored.
   */
  commit(set: WriteSet): Promise<void>;
  /** Where the chain of this instance stands on the disk. */
  auditHead(): AuditHead;
  /** Why the last attempt to write failed; nothing when it did not. */
  health(): StoreFailure | undefined;
  /**
   * {@link Store.health} after another attempt, if the last one failed: so that readiness comes back without a client.
   */
  probe(): Promise<StoreFailure | undefined>;
  /** Finishes what was asked for and closes the file. */
  close(): Promise<void>;
};

/**
 * The writer thread writes the log back; this one does only if that has not happened for long, because everybody would
 * wait for it.
 */
const checkpointPagesHere = 20_000;

/** A set that is written in this thread adds some ten pages to the log. */
const groupsUntilCheckpoint = 200;

/**
 * Opens the store, creating it in an existing directory.
 *
 * @throws {FatalError} when the file cannot be opened, is damaged, or was made by a newer version
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { audit, clock, log } = options;
  const database = openSqlite<Database>({ file: options.file });
  try {
    await migrate(database.kysely, migrations);
    // Stays until the database is replaced and the core started again: what is damaged does not mend itself, and a
    // write to another page that succeeds says nothing.
    let damage: StoreFailure | undefined;
    const noteDamage = (detail: string): void => {
      if (damage !== undefined) return;
      damage = { code: 'corrupt', detail, at: clock.now() };
      log.error({ code: 'corrupt' }, `${detail}; stop the core and restore the database from a backup`);
    };
    const statements = createStatements(database.raw, (error) => {
      const outage = outageOf(error);
      if (outage?.code === 'corrupt') noteDamage(outage.detail);
    });
    const instance = await database.transact(() => ensureInstance(statements));
    let head = findAuditHead(statements, instance.id) ?? emptyHead(instance.id);
    let failure: StoreFailure | undefined;

    const here = { transact: database.transact, statements, audit, instance: instance.id };
    // A database in memory belongs to its connection alone.
    const writer =
      options.file === ':memory:'
        ? undefined
        : startWriter({
            file: options.file,
            instance: instance.id,
            keys: audit.keys,
            onEnded: (reason) => log.error(`${reason}; sets are written one by one until another one is ready`),
          });
    database.raw.exec(`PRAGMA wal_autocheckpoint = ${checkpointPagesHere}`);
    let writtenHere = 0;
    const group = createGroupCommit({
      writeHere: (set) => {
        writtenHere += 1;
        if (writtenHere % groupsUntilCheckpoint === 0 && writer?.isReady() === true) writer.checkpoint();
        return writeGroup(here, set);
      },
      writeElsewhere: () => (writer?.isReady() === true ? writer.write : undefined),
      clock,
      onCommitted: (committed) => {
        head = committed;
        if (failure !== undefined) log.info({ after: failure.code }, 'the store can write again');
        failure = undefined;
      },
      onOutage: ({ code, message }) => {
        // One line for each outage, not one for each client that meets it.
        if (failure?.code !== code) log.error({ code }, `cannot write: ${message}`);
        failure = { code, detail: message, at: clock.now() };
        if (code === 'corrupt') noteDamage(message);
      },
    });

    return {
      one: statements.one,
      all: statements.all,
      instance,
      kysely: database.kysely,
      commit: group.commit,
      auditHead: () => head,
      health: () => damage ?? failure,
      probe: async () => {
        if (failure !== undefined) await group.commit(probeSet(clock)).catch(() => undefined);
        return damage ?? failure;
      },
      close: async () => {
        await group.drain();
        await writer?.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

// A transaction that changes nothing writes nothing, so the attempt has to change something.
function probeSet(clock: Clock): WriteSet {
  return { operations: [writeMeta('last-probe', clock.now().toISOString())], events: [] };
}
