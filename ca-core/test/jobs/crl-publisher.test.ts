// When several CRLs are to be made at once: which of them is first, and from what a delta starts.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import type { BaseUrls } from '../../src/jobs/base-urls.ts';
import { encodeCrl } from '../../src/jobs/crl-encoding.ts';
import { openCrlFolder, publishedCrlFile } from '../../src/jobs/crl-files.ts';
import { type CrlPlan, configuredScopes, planScope } from '../../src/jobs/crl-plan.ts';
import { createCrlPublisher } from '../../src/jobs/crl-publisher.ts';
import { compareTurns, newTarget } from '../../src/jobs/crl-target.ts';
import type { StatusThreadTasks } from '../../src/jobs/status-thread-messages.ts';
import type { StatusWorker } from '../../src/jobs/status-worker.ts';
import { statusConfigurationSchema } from '../../src/revocation/status-configuration.ts';
import type { Store } from '../../src/store/open-store.ts';
import { assembleCrlFile } from '../../src/x509/crl-file.ts';
import { isCoreError } from '../core-error.ts';
import { openTestStore } from '../store/test-store.ts';

const { crl: configuration } = statusConfigurationSchema.parse({}).issuing;
const parent = mkdtempSync(join(tmpdir(), 'gatehouse-publisher-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const clock = createManualClock(new Date('2026-05-01T12:00:00Z'));
const hierarchy = join(parent, 'hierarchy');
await createHierarchy({ directory: hierarchy, passphrase: 'online', rootPassphrase: 'offline', clock });

/** What the status thread does, without a thread. */
function workHere(store: Store, { certificate: issuer, signer }: ReturnType<typeof loadAuthorities>['issuing']) {
  const { signatureAlgorithm } = signer;
  const tasks: {
    [Kind in keyof StatusThreadTasks]: (
      task: StatusThreadTasks[Kind]['task'],
    ) => Promise<StatusThreadTasks[Kind]['result']>;
  } = {
    encode: (job) => encodeCrl(store, { issuer, signatureAlgorithm }, job),
    assemble: assembleCrlFile,
  };
  const worker: Pick<StatusWorker, 'run'> = {
    run: (kind, task) => tasks[kind](task),
  };
  return worker;
}

async function open() {
  const directory = mkdtempSync(join(parent, 'core-'));
  cpSync(hierarchy, directory, { recursive: true });
  const { issuing } = loadAuthorities({ directory, passphrase: 'online', clock });
  const { store, log, logged, remove } = await openTestStore('in memory');
  after(remove);
  const folder = openCrlFolder(directory);
  const worker = workHere(store, issuing);

  function start(plansSince: number, onPublished: (plan: CrlPlan) => void, isReady = () => true) {
    const { signer } = issuing;
    return createCrlPublisher({
      store,
      worker: { ...worker, isReady },
      signer,
      folder,
      clock,
      log,
      actor: 'core',
      plansSince,
      onPublished,
    });
  }

  /** Starts a core with these URLs; resolves when each of its CRLs was made once. */
  async function publishAll(baseUrls: BaseUrls, shards: number): Promise<void> {
    const plans = plansOf(baseUrls, shards);
    const all = Promise.withResolvers<void>();
    let made = 0;
    const publisher = start(baseUrls.since, () => {
      made += 1;
      if (made === plans.length) all.resolve();
    });
    await publisher.add(plans);
    await all.promise;
    await publisher.close();
  }

  return {
    start,
    publishAll,
    logged,
    read: (scope: string, isDelta: boolean) =>
      readCertificateList(readFileSync(publishedCrlFile(folder, scope, isDelta))),
  };
}

function plansOf(baseUrls: BaseUrls, shards: number): readonly CrlPlan[] {
  const scopes = configuredScopes('issuing', shards, true);
  return scopes.flatMap((scope) => planScope(scope, configuration, baseUrls));
}

const here: BaseUrls = { current: 'http://a.example', all: ['http://a.example'], since: 0 };

describe('while more changes than can be made', () => {
  const [plan] = planScope('issuing', configuration, here);
  assert.ok(plan);

  it('what was made or tried longest ago is first, but for what somebody waits for', () => {
    const target = (changes: object) => Object.assign(newTarget(plan), changes);
    const last = { durationMs: 10, entries: 0 };
    const wished = target({ last: { ...last, endedAt: 900 }, wishes: [{}] });
    const early = target({ last: { ...last, endedAt: 100 } });
    const late = target({ last: { ...last, endedAt: 300 } });
    const failed = target({ last: { ...last, endedAt: 50 }, failedAtMono: 200 });
    const fresh = target({});
    const turns = [late, failed, early, wished, fresh].sort(compareTurns);
    assert.deepEqual(turns, [wished, fresh, early, failed, late]);
  });

  it('no CRL is passed by', { timeout: 60_000 }, async () => {
    const { start, logged } = await open();
    const plans = plansOf(here, 30);
    const scopes = [...new Set(plans.map(({ scope }) => scope))];
    const made = new Map<string, number>();
    let total = 0;
    const enough = Promise.withResolvers<void>();
    const publisher = start(0, ({ scope, isDelta }) => {
      const name = `${scope} ${isDelta}`;
      made.set(name, (made.get(name) ?? 0) + 1);
      total += 1;
      if (total === 4 * plans.length) enough.resolve();
      // A bulk revocation goes on and on: each shard has changed again.
      publisher.noteChanges(scopes, total);
    });
    await publisher.add(plans);
    await enough.promise;
    await publisher.close();
    const passedBy = plans.filter(({ scope, isDelta }) => (made.get(`${scope} ${isDelta}`) ?? 0) < 2);
    assert.deepEqual(
      passedBy.map(({ scope }) => scope),
      [],
    );
    assert.deepEqual(logged, []);
  });
});

describe('RFC 5280 §5.2.4: base and delta have the same issuingDistributionPoint', () => {
  for (const [name, ahead] of [
    ['as soon as it is another one', 0],
    ['also when the clock was set back since', 86_400_000],
  ] as const) {
    it(name, async () => {
      const { publishAll, read, logged } = await open();
      await publishAll(here, 1);
      const before = read('issuing-1', false);
      clock.advance(60_000);
      const since = clock.now().getTime() + ahead;
      await publishAll({ current: 'http://b.example', all: ['http://b.example', 'http://a.example'], since }, 1);
      const [full, delta] = [read('issuing-1', false), read('issuing-1', true)];
      assert.notDeepEqual(full.issuingDistributionPoint, before.issuingDistributionPoint);
      assert.deepEqual(delta.issuingDistributionPoint, full.issuingDistributionPoint);
      assert.equal(delta.baseCrlNumber, full.crlNumber);
      assert.deepEqual(logged, []);
    });
  }
});

describe('while nothing can be made', () => {
  it('who waits for a CRL is told when it is left out', async () => {
    const { start } = await open();
    const publisher = start(
      0,
      () => assert.fail(),
      () => false,
    );
    await publisher.add(plansOf(here, 1));
    const wishes = [publisher.generate('issuing-1', false, 'admin'), publisher.generate('issuing-1', true, 'admin')];
    const refused = wishes.map((wish) => assert.rejects(wish, isCoreError('not-found')));
    publisher.remove('issuing-1');
    await Promise.all(refused);
    await publisher.close();
  });

  it('a file that is asked for again and again is missed once', async () => {
    const { start, logged } = await open();
    const publisher = start(
      0,
      () => assert.fail(),
      () => false,
    );
    await publisher.add(plansOf(here, 1));
    for (let asked = 0; asked < 5; asked++) publisher.noteLost('issuing-1', false);
    assert.equal(logged.length, 1);
    await publisher.close();
  });
});
