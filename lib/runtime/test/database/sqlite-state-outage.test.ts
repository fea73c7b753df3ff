import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore, StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { FatalError } from '@gatehouse/runtime/fatal';
import { temporaryDirectory } from '../support/directory.ts';
import { recordingLog } from '../support/log.ts';
import { filePlace, queries, things } from '../support/state.ts';

/** Ways to take the disk away from a connection and to give it back. */
const outages = {
  'disk-full': { begin: 'PRAGMA max_page_count = 1', end: 'PRAGMA max_page_count = 1000000', says: /disk .* is full/ },
  'read-only': { begin: 'PRAGMA query_only = 1', end: 'PRAGMA query_only = 0', says: /cannot be written/ },
} as const;

for (const [code, { begin, end, says }] of Object.entries(outages)) {
  describe(`a file that cannot be written: ${code}`, () => {
    it('fails every set of a group, stores nothing of it, and says so once', async (context) => {
      const { log, lines } = recordingLog('info');
      const store = await filePlace(context).open(log);
      await store.commit([insert('before')]);
      await store.one({ sql: begin });
      for (let i = 0; i < 3; i++) {
        const outcomes = await Promise.allSettled([store.commit([large('a')]), store.commit([large('b')])]);
        for (const outcome of outcomes) {
          assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StateUnavailableError);
          assert.match(outcome.reason.message, says);
          assert.equal(outcome.reason.isUndecided, false);
        }
      }
      assert.equal(store.isHealthy(), false);
      assert.equal((await store.one(queries.find, 'before'))?.name, 'before');
      const errors = lines.filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map((line) => line.code),
        [code],
      );
      await store.one({ sql: end });
      await store.commit([large('a')]);
      assert.equal(store.isHealthy(), true);
      assert.equal(await store.one(queries.find, 'b'), undefined);
    });

    it('is found to be writable again without a client', async (context) => {
      const { log, lines } = recordingLog('info');
      const store = await filePlace(context).open(log);
      await store.one({ sql: begin });
      await assert.rejects(store.commit([large('a')]), StateUnavailableError);
      await store.one({ sql: end });
      await untilHealthy(store);
      assert.equal(lines.filter(({ msg }) => msg === 'the state can be used again').length, 1);
    });
  });
}

describe('a file that another process holds', () => {
  it('is unavailable while it is held', async (context) => {
    const place = filePlace(context);
    const store = await place.open();
    await store.one({ sql: 'PRAGMA busy_timeout = 10' });
    const other = new DatabaseSync(place.file);
    context.after(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(store.commit([insert('a')]), /another process holds the lock/);
    other.exec('ROLLBACK');
    await store.commit([insert('a')]);
  });
});

describe('a file that is none of ours', () => {
  it('ends the start when it is no database', async (context) => {
    const file = join(temporaryDirectory(context), 'gate.db');
    writeFileSync(file, 'not a database, though long enough to have a header of one hundred octets: '.repeat(4));
    await assert.rejects(open(file), FatalError);
  });

  it('ends the start when a newer version made it', async (context) => {
    const { file, open: openPlace } = filePlace(context);
    await (await openPlace()).close();
    await assert.rejects(
      openStateStore({ database: { file }, migrations: {}, log: recordingLog().log, clock: systemClock }),
      /newer than this program/,
    );
  });
});

function open(file: string): Promise<StateStore> {
  const { log } = recordingLog();
  return openStateStore({ database: { file }, migrations: { '0001-things': things }, log, clock: systemClock });
}

async function untilHealthy(store: StateStore): Promise<void> {
  for (const deadline = Date.now() + 20_000; !store.isHealthy() && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(store.isHealthy(), true);
}

function insert(name: string) {
  return { sql: queries.insert.sql, parameters: [name, null, null] };
}

/** Needs pages that are not there yet. */
function large(name: string) {
  return { sql: queries.insert.sql, parameters: [name, null, new Uint8Array(100_000)] };
}
