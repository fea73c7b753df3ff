// Commits to a state as fast as it can and says what was answered, until it is killed. Started by state-crash.test.ts.
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { queries, things } from '../support/state.ts';

const [run = '', place = '', survives] = process.argv.slice(2);
const store = await openStateStore({
  database: place.startsWith('postgres:') ? { postgres: place } : { file: place },
  migrations: { '0001-things': things },
  log: createLog({ name: 'test', level: 'silent' }),
  clock: systemClock,
});
let count = 0;

async function commitForEver(): Promise<void> {
  for (;;) {
    const name = `${run}-${++count}`;
    // Both or neither: the second name is known only to the database.
    const operations = [name, `twin of ${name}`].map((each) => ({
      sql: queries.insert.sql,
      parameters: [each, 1, null],
    }));
    try {
      await store.commit(operations, survives === 'crash' ? 'crash' : 'power-cut');
    } catch (error) {
      if (error instanceof StateUnavailableError) return;
      throw error;
    }
    process.stdout.write(`${name}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, commitForEver));
await store.close();
