// The root's own CRL: taken in when it is newer, never replaced by an older one, and only when the root has signed it.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '@gatehouse/runtime/clock';
import { sql } from 'kysely';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import { renewRootCrl } from '../../src/authorities/renew-root-crl.ts';
import { openCrlFolder } from '../../src/jobs/crl-files.ts';
import { createRootCrlImport } from '../../src/jobs/root-crl-import.ts';
import { openTestStore } from '../store/test-store.ts';

const parent = mkdtempSync(join(tmpdir(), 'gatehouse-root-import-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const clock = createManualClock(new Date('2026-03-01T10:00:00Z'));
const [ours, theirs] = [join(parent, 'ours'), join(parent, 'theirs')];
for (const directory of [ours, theirs]) {
  await createHierarchy({ directory, passphrase: 'online', rootPassphrase: 'offline', clock });
}
let copies = 0;

async function open() {
  copies += 1;
  const directory = join(parent, `copy-${copies}`);
  cpSync(ours, directory, { recursive: true });
  const { root } = loadAuthorities({ directory, passphrase: 'online', clock });
  const { store, log, logged, remove } = await openTestStore('in memory');
  after(remove);
  const published: number[] = [];
  const start = () => {
    const rootCrl = createRootCrlImport({
      directory,
      root,
      store,
      folder: openCrlFolder(directory),
      actor: 'core',
      clock,
      log,
      onPublished: () => published.push(rootCrl.published()?.crl.number ?? 0),
    });
    return rootCrl;
  };
  return {
    start,
    published,
    logged,
    store,
    source: join(directory, 'ca/root.crl'),
    target: join(directory, 'crl/root.crl'),
    renew: () => renewRootCrl({ directory, rootPassphrase: 'offline', clock }),
  };
}

describe('the CRL of the root', () => {
  it('is published as it is, once', async () => {
    const { start, published, source, target } = await open();
    const rootCrl = start();
    assert.equal(rootCrl.published(), undefined);
    await rootCrl.look();
    await rootCrl.look();
    assert.deepEqual(readFileSync(target), readFileSync(source));
    assert.equal(published.length, 1);
    assert.deepEqual(rootCrl.published()?.plan, { scope: 'root', isDelta: false, authority: 'root' });
    assert.equal(rootCrl.isOver(), false);
  });

  it('is replaced by a newer one, and never by an older one', async () => {
    const { start, published, source, target, renew, logged } = await open();
    const rootCrl = start();
    await rootCrl.look();
    const old = readFileSync(source);
    await renew();
    await rootCrl.look();
    const newer = readFileSync(target);
    assert.equal(published.length, 2);
    writeFileSync(source, old);
    await rootCrl.look();
    assert.deepEqual(readFileSync(target), newer);
    assert.ok(logged.some((line) => line.includes('older than the one before')));
    // Also after a restart.
    const again = start();
    await again.look();
    assert.equal(again.published()?.crl.number, published[1]);
    assert.deepEqual(readFileSync(target), newer);
  });

  it('is put right when what is published was damaged', async () => {
    const { start, source, target } = await open();
    await start().look();
    writeFileSync(target, 'damaged');
    await start().look();
    assert.deepEqual(readFileSync(target), readFileSync(source));
  });

  it('of another root, or damaged, is not published, and the log says why', async () => {
    const { start, published, source, logged } = await open();
    const rootCrl = start();
    for (const spoiled of [readFileSync(join(theirs, 'ca/root.crl')), Buffer.from('nonsense')]) {
      writeFileSync(source, spoiled);
      await rootCrl.look();
    }
    assert.deepEqual(published, []);
    assert.equal(logged.filter((line) => line.includes('cannot be published')).length, 2);
  });

  it('is not missed by directories that have none', async () => {
    const { start, source, logged } = await open();
    rmSync(source);
    const rootCrl = start();
    await rootCrl.look();
    assert.equal(rootCrl.published(), undefined);
    assert.deepEqual(logged, []);
  });

  /** The import tries again by itself, a little later; waits until it has worked. */
  async function lookUntilPublished(rootCrl: ReturnType<typeof createRootCrlImport>): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (rootCrl.published() === undefined && performance.now() < deadline) {
      await rootCrl.look();
      await setImmediate();
    }
  }

  it('is taken in once the database can be written again', async () => {
    const { start, store, source, target, logged } = await open();
    await sql`PRAGMA query_only = 1`.execute(store.kysely);
    const rootCrl = start();
    await rootCrl.look();
    assert.equal(rootCrl.published(), undefined);
    await sql`PRAGMA query_only = 0`.execute(store.kysely);
    await lookUntilPublished(rootCrl);
    assert.deepEqual(readFileSync(target), readFileSync(source));
    assert.equal(logged.filter((line) => line.includes('cannot be published')).length, 1);
  });

  it('is looked for again when its folder could not be looked into', async () => {
    const { start, source, target } = await open();
    const [folder, moved] = [dirname(source), `${dirname(source)}-moved`];
    renameSync(folder, moved);
    // A loop of links, which statSync throws for whoever runs the test.
    symlinkSync(folder, folder);
    const rootCrl = start();
    await rootCrl.look();
    assert.equal(rootCrl.published(), undefined);
    rmSync(folder);
    renameSync(moved, folder);
    await lookUntilPublished(rootCrl);
    assert.deepEqual(readFileSync(target), readFileSync(source));
  });

  it('is over when its time is', async () => {
    const { start } = await open();
    const rootCrl = start();
    await rootCrl.look();
    clock.advance(366 * 86_400_000);
    assert.equal(rootCrl.isOver(), true);
    clock.advance(-366 * 86_400_000);
  });
});
