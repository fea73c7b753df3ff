import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import { FatalError } from '@gatehouse/runtime/fatal';
import {
  askAgain,
  connectGate,
  type LaunchedCore,
  launch,
  type PreparedDirectory,
  prepareDirectory,
} from './support/prepared-core.ts';

const pageSize = 4096;
/** Every page would take its time; these are of all kinds: tables, indexes, the schema. */
const stride = 3;

/** What was seen of a core on a damaged database. */
type Seen = 'refused to start' | 'refused calls' | 'was not touched';

async function see(prepared: PreparedDirectory): Promise<Seen> {
  const core = await launch(prepared.path).catch((error: unknown) => error);
  if (core instanceof FatalError) {
    assert.ok(core.message.includes(prepared.path), core.message);
    assert.match(core.message, /damaged|malformed|not a database/);
    assert.match(core.hint ?? '', /backup/);
    return 'refused to start';
  }
  if (core instanceof Error) throw core;
  const { running, stop } = core as LaunchedCore;
  const gate = connectGate(prepared, running.address);
  try {
    await askAgain(gate, prepared);
    return 'was not touched';
  } catch (error) {
    assert.ok(error instanceof CoreError && error.code === 'unavailable', String(error));
    const readiness = await fetch(`http://${running.management}/readyz`);
    assert.equal(readiness.status, 503);
    assert.match(await readiness.text(), /the database is damaged/);
    return 'refused calls';
  } finally {
    gate.close();
    await stop();
  }
}

describe('a damaged page of the database', () => {
  test('is found at the start or by the first call that meets it, is shown, and never answered over', async (context) => {
    const { path } = await prepareDirectory(context);
    const pages = statSync(join(path, 'core.db')).size / pageSize;
    const seen: Record<Seen, number> = { 'refused to start': 0, 'refused calls': 0, 'was not touched': 0 };
    for (let page = 1; page < pages; page += stride) {
      const prepared = await prepareDirectory(context);
      const file = join(prepared.path, 'core.db');
      writeFileSync(file, readFileSync(file).fill(0x5a, page * pageSize, (page + 1) * pageSize));
      seen[await see(prepared)] += 1;
    }
    assert.ok(seen['refused to start'] > 0 && seen['refused calls'] > 0);
    context.diagnostic(JSON.stringify(seen));
  });
});
