// Whatever was answered is there after a crash, of the gate or of its database, and no half of anything.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import type { CommitDurability, StateStore } from '@gatehouse/runtime/database/state-store';
import { startPostgres } from '@gatehouse/runtime/test-support/postgres';
import { filePlace, postgresPlace } from '../support/state.ts';

const server = await startPostgres({ after }, { isDurable: true });

describe('kill -9 of the gate under load', () => {
  it('loses nothing that was answered on SQLite', async (context) => {
    const place = filePlace(context);
    await (await place.open()).close();
    const answered: string[] = [];
    for (const run of ['one', 'two', 'three']) answered.push(...(await commitUntil(run, place.file, 300, kill)));
    answered.push(...(await commitUntil('four', place.file, 300, kill, 'crash')));
    await prove(await place.open(), answered);
  });

  it('loses nothing that was answered on PostgreSQL', async (context) => {
    const place = await postgresPlace(context, server);
    await (await place.open()).close();
    const answered: string[] = [];
    for (const run of ['one', 'two', 'three']) answered.push(...(await commitUntil(run, place.address, 300, kill)));
    answered.push(...(await commitUntil('four', place.address, 300, kill, 'crash')));
    await prove(await place.open(), answered);
  });
});

describe('a crash of PostgreSQL under load', () => {
  it('loses nothing that was answered', async (context) => {
    const place = await postgresPlace(context, server);
    await (await place.open()).close();
    const answered: string[] = [];
    for (const run of ['one', 'two']) {
      answered.push(...(await commitUntil(run, place.address, 300, () => void server.crash())));
      await server.restart();
    }
    await prove(await place.open(), answered);
  });
});

function kill(child: ChildProcess): void {
  child.kill('SIGKILL');
}

/** Lets a process commit until it has had so many answers, then ends it; resolves to everything that was answered. */
async function commitUntil(
  run: string,
  place: string,
  answers: number,
  end: (child: ChildProcess) => void,
  survives: CommitDurability = 'power-cut',
): Promise<readonly string[]> {
  const program = join(import.meta.dirname, 'commit-state-for-ever.ts');
  const child = spawn(process.execPath, [program, run, place, survives], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answered: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    answered.push(line);
    if (answered.length === answers) end(child);
  });
  // After all of its output.
  await once(child, 'close');
  assert.ok(answered.length >= answers);
  return answered;
}

async function prove(store: StateStore, answered: readonly string[]): Promise<void> {
  const rows = await store.all<{ name: string }>({ sql: 'select "name" from "things" limit 1000000' });
  const names = new Set(rows.map(({ name }) => name));
  for (const name of answered) assert.ok(names.has(name), `${name} was answered and is gone`);
  const halves = [...names].filter((name) => !names.has(name.startsWith('twin') ? name.slice(8) : `twin of ${name}`));
  assert.deepEqual(halves, []);
}
