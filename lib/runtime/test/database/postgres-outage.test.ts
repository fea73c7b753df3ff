import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { FatalError } from '@gatehouse/runtime/fatal';
import { startPostgres } from '@gatehouse/runtime/test-support/postgres';
import { holdRow } from '../support/held-row.ts';
import { recordingLog } from '../support/log.ts';
import { postgresPlace, queries, things } from '../support/state.ts';

// Deadlocks are looked for after a second by default.
const server = await startPostgres({ after }, { settings: { deadlock_timeout: '20ms' } });

describe('a PostgreSQL that fails', () => {
  it('is reported once, and used again when it is back', async (context) => {
    const { log, lines } = recordingLog('info');
    const store = await (await postgresPlace(context, server)).open(log);
    await store.commit([insert('before')]);
    await server.crash();
    await assert.rejects(store.one(queries.find, 'before'), isUnavailable);
    await assert.rejects(store.commit([insert('lost')]), isUnavailable);
    assert.equal(store.isHealthy(), false);
    await server.restart();
    assert.equal((await store.one(queries.find, 'before'))?.name, 'before');
    assert.equal(await store.one(queries.find, 'lost'), undefined);
    assert.equal(store.isHealthy(), true);
    assert.equal(lines.filter(({ level }) => level === 'error').length, 1);
    assert.equal(lines.filter(({ msg }) => msg === 'the state can be used again').length, 1);
    assert.ok(!JSON.stringify(lines).includes('postgres://'));
  });

  it('is found to be back without a client', async (context) => {
    const recording = recordingLog('info');
    const store = await (await postgresPlace(context, server)).open(recording.log);
    await server.crash();
    await assert.rejects(store.one(queries.find, 'x'), isUnavailable);
    await server.restart();
    const isBack = (): boolean => recording.lines.some(({ msg }) => msg === 'the state can be used again');
    for (const deadline = Date.now() + 20_000; !isBack() && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(store.isHealthy(), true);
  });

  it('loses connections without harm: reads and commits that had not begun go on another one', async (context) => {
    const place = await postgresPlace(context, server);
    const store = await place.open();
    await store.commit([insert('a')]);
    for (let i = 0; i < 5; i++) {
      await server.administer(endOthers, place.address);
      assert.equal((await store.one(queries.find, 'a'))?.name, 'a');
    }
  });

  it('tries a commit again whose connection ended before it was decided', async (context) => {
    const place = await postgresPlace(context, server);
    const store = await place.open();
    await store.commit([insert('a'), insert('b')]);
    await using row = await holdRow(place.address, 'a');
    const commit = store.commit([resize('b', 7), resize('a', 7)]);
    await row.whenAwaited();
    await row.endWaiting();
    await row.release();
    await commit;
    assert.equal((await store.one(queries.find, 'b'))?.size, 7);
  });

  it('says so when nobody knows whether something was written', async (context) => {
    const place = await postgresPlace(context, server);
    const store = await place.open();
    await store.commit([insert('a')]);
    await using row = await holdRow(place.address, 'a');
    const write = store.write(claim, 9, 'a').catch((error: unknown) => error);
    await row.whenAwaited();
    await row.endWaiting();
    const error = await write;
    assert.ok(error instanceof StateUnavailableError && error.isUndecided, String(error));
  });

  it('tries again what two transactions did crosswise', async (context) => {
    const place = await postgresPlace(context, server);
    const [one, two] = [await place.open(), await place.open()];
    await one.commit([insert('a'), insert('b')]);
    const rounds = Array.from({ length: 4 }, (_, i) => [
      one.commit([resize('a', i), resize('b', i)]),
      two.commit([resize('b', i), resize('a', i)]),
    ]);
    await Promise.all(rounds.flat());
    const [a, b] = [await one.one(queries.find, 'a'), await one.one(queries.find, 'b')];
    assert.equal(a?.size, b?.size);
  });

  it('prepares anew what a newer copy changed by its migration', async (context) => {
    const place = await postgresPlace(context, server);
    const store = await place.open();
    await store.commit([insert('a')]);
    await store.one(queries.find, 'a');
    await server.administer('alter table things add column colour text', place.address);
    assert.equal((await store.one(queries.find, 'a'))?.name, 'a');
  });

  it('is not used while it is a standby, which would answer with what was true before', async (context) => {
    const store = await (await postgresPlace(context, server)).open();
    await store.commit([insert('a')]);
    await server.crash();
    await server.restart('standby');
    await assert.rejects(store.one(queries.find, 'a'), /takes no writes \(it is a standby\)/);
    await assert.rejects(store.commit([insert('b')]), isUnavailable);
    assert.equal(store.isHealthy(), false);
    await server.crash();
    await server.restart();
    await store.commit([insert('b')]);
    assert.equal(store.isHealthy(), true);
  });

  it('that takes no writes is left for another connection', async (context) => {
    const place = await postgresPlace(context, server);
    const store = await place.open();
    await store.commit([insert('a')]);
    const { pathname } = new URL(place.address);
    const setting = `alter database ${pathname.slice(1)} set default_transaction_read_only`;
    await server.administer(`${setting} to on`);
    await server.administer(endOthers, place.address);
    await assert.rejects(store.commit([insert('b')]), /takes no writes/);
    await server.administer(`${setting} to off`);
    await store.commit([insert('b')]);
  });

  it('is not waited for without end when all connections are at work', async (context) => {
    const place = await postgresPlace(context, server);
    const { log } = recordingLog();
    await (await place.open()).commit([insert('a')]);
    const migrations = { '0001-things': things };
    const database = { postgres: place.address };
    const store = await openStateStore({ database, migrations, log, clock: systemClock, maximumConnections: 1 });
    await using row = await holdRow(place.address, 'a');
    const held = store.commit([resize('a', 1)]);
    await row.whenAwaited();
    await assert.rejects(store.one(queries.find, 'a'), /too busy .*\(all 1 connections are in use\)/);
    await row.release();
    await held;
    await store.close();
  });

  it('is not said by an address that cannot be read, and the address is not repeated', async () => {
    const { log } = recordingLog();
    const database = { postgres: 'postgres://somebody:seldom-said@host:notaport/gate' };
    const start = openStateStore({ database, migrations: {}, log, clock: systemClock });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof FatalError);
      assert.ok(!inspect(error).includes('seldom-said'));
      return true;
    });
  });

  it('cannot be started with', async () => {
    const unreachable = createServer().listen(0, '127.0.0.1');
    await once(unreachable, 'listening');
    const { port } = unreachable.address() as { port: number };
    unreachable.close();
    await once(unreachable, 'close');
    const postgres = `postgres://somebody:seldom-said@127.0.0.1:${port}/gate`;
    const { log } = recordingLog();
    const start = openStateStore({
      database: { postgres },
      migrations: { '0001-things': things },
      log,
      clock: systemClock,
    });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof FatalError);
      assert.match(error.message, /cannot use the PostgreSQL database: .*ECONNREFUSED/);
      assert.ok(!error.message.includes('seldom-said'));
      return true;
    });
  });
});

const endOthers = `select pg_terminate_backend(pid) from pg_stat_activity
  where pid <> pg_backend_pid() and datname = current_database()`;

const claim = { sql: 'update "things" set "size" = ? where "name" = ? returning "name"' };

function insert(name: string) {
  return { sql: queries.insert.sql, parameters: [name, null, null] };
}

function resize(name: string, size: number) {
  return {
    sql: queries.resize.sql,
    parameters: [size, name],
    expects: { rows: 1, otherwise: () => new Error('gone') },
  };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof StateUnavailableError && !error.isUndecided;
}
