// The core dies while it makes CRLs, or right after revocations: nothing that was answered is left out, and no number stands
// for two CRLs (RFC 5280 §5.2.3).

import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { assertNumbers, watchCrls } from './support/crl-witness.ts';
import { newDataDirectory } from './support/data-directory.ts';
import { killNow } from './support/processes.ts';
import { revokeAll, untilRevoked } from './support/revocations.ts';
import { enrollMany, newStatusSite } from './support/status-site.ts';

const manyEntries = 20_000;

/** Puts revocations of certificates that never were into the database, so that its CRLs take their time. */
function addRevocations(directory: string): void {
  const database = new DatabaseSync(join(directory, 'core.db'));
  const now = Date.now();
  database
    .prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
       insert into revocations (serial_number, state, reason, revoked_at, actor, authority, crl_scope, not_after)
       select printf('7f%034x', i), 'revoked', 4, ?, 'test', 'issuing', 'issuing-1', ? from n`,
    )
    .run(manyEntries, now, now + 86_400_000);
  database.close();
}

/** Resolves when a file of the complete CRL appears whose name fits: a new CRL is so far. */
function untilFile(context: TestContext, directory: string, form: RegExp): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(join(directory, 'crl'), (_event, name) => {
    if (name === null || !form.test(name)) return;
    watcher.close();
    resolve();
  });
  context.after(() => watcher.close());
  return promise;
}

/** What lies in the folder at each step of making a CRL. */
const steps = [/^\.issuing\.\d+\.tbs\.entries$/, /^\.issuing\.\d+\.tbs$/, /^\.issuing\.\d+\.signed$/, /^issuing\.crl$/];

describe('the core is killed while it publishes CRLs', () => {
  test(`in each of ${steps.length} steps of a CRL of ${manyEntries} entries`, async (context) => {
    const directory = await newDataDirectory(context);
    addRevocations(directory);
    const site = await newStatusSite(context, directory);
    let core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const certificates = await enrollMany(client, steps.length + 1);
    const [first = ''] = certificates;
    await revokeAll(client, [first]);
    await untilRevoked(site.relyingParty, [first]);
    const witness = watchCrls(context, site);

    for (const [index, step] of steps.entries()) {
      const reached = untilFile(context, directory, step);
      await revokeAll(client, certificates.slice(index + 1, index + 2));
      await reached;
      await killNow(core);
      core = await site.startCore();
      await untilRevoked(site.relyingParty, certificates.slice(0, index + 2));
    }
    const seen = await witness.close();
    await assertNumbers(seen, site.connectOperator());
    const full = await site.relyingParty.crl('issuing');
    assert.ok(typeof full !== 'number');
    assert.equal([...full.entries()].length, manyEntries + certificates.length);
    context.diagnostic(`${seen.length} CRLs seen`);
  });

  test('right after the answers to revocations, over 4 kills', async (context) => {
    const site = await newStatusSite(context);
    let core = await site.startCore();
    await site.startGate();
    const client = site.connect();
    const atOnce = [1, 5, 40, 2];
    const certificates = await enrollMany(
      client,
      atOnce.reduce((sum, count) => sum + count, 0),
    );
    const witness = watchCrls(context, site);
    const revoked: string[] = [];
    for (const count of atOnce) {
      const next = certificates.slice(revoked.length, revoked.length + count);
      await revokeAll(client, next);
      revoked.push(...next);
      await killNow(core);
      core = await site.startCore();
    }
    await untilRevoked(site.relyingParty, revoked);
    const seen = await witness.close();
    await assertNumbers(seen, site.connectOperator());
    context.diagnostic(`${revoked.length} revocations, ${seen.length} CRLs seen`);
  });
});
