// A core from before perspectives goes on: its RAs, and tokens that were given out and not used yet.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { migrate } from '@gatehouse/runtime/database/migrate';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { createLog } from '@gatehouse/runtime/log';
import { createAuditChain } from '../../src/audit/chain.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { findJoinToken } from '../../src/store/join-tokens.ts';
import { migrations } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-store-'));
after(() => rmSync(directory, { recursive: true, force: true }));

it('a join token from before is one of an RA', async () => {
  const file = join(directory, 'core.db');
  const old = openSqlite<Record<string, never>>({ file });
  const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0003'));
  await migrate(old.kysely, before);
  old.raw.exec(
    `insert into join_tokens (id, registration_authority, created_at, expires_at) values ('a1', 'est', 1, 2)`,
  );
  await old.close();

  const { privateKey: key } = generateKeyPairSync('ed25519');
  const log = createLog({ name: 'test', level: 'silent' });
  const store = await openStore({ file, audit: createAuditChain({ key }), clock: systemClock, log });
  const { kind, name } = findJoinToken(store, 'a1') ?? {};
  assert.deepEqual([kind, name], ['gate', 'est']);
  assert.deepEqual(createRegistry(store, systemClock).listPerspectives(), []);
  await store.close();
});
