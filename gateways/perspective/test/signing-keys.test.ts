import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openSigningKeyFile } from '@gatehouse/gateway-perspective/signing-key-file';
import { SigningKeys } from '@gatehouse/gateway-perspective/signing-keys';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import { createRegistryDouble, type RegistryDouble } from './support/registry-double.ts';

const day = 86_400_000;
const hour = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
after(() => rmSync(directory, { recursive: true }));

type World = {
  readonly file: string;
  readonly clock: ManualClock;
  readonly registry: RegistryDouble;
  /** Opens the keys, as a start does. */
  open(): SigningKeys;
};

let count = 0;

async function inWorld(body: (world: World) => Promise<void>, kind: 'perspective' | 'ra' = 'perspective') {
  const clock = createManualClock(new Date('2026-11-21T12:00:00Z'));
  const registry = createRegistryDouble('dublin', clock);
  const file = join(directory, `${++count}`, 'signing-key.json');
  const opened: SigningKeys[] = [];
  const open = (): SigningKeys => {
    const keys = new SigningKeys({
      file,
      holder: { kind, name: 'dublin', uri: `spiffe://gatehouse.internal/${kind}/dublin` },
      address: kind === 'ra' ? '' : '192.0.2.1:5290',
      build: 'gatehouse/test',
      keyLife: 90 * day,
      core: registry,
      clock,
      log: silentLog,
    });
    opened.push(keys);
    return keys;
  };
  try {
    await body({ file, clock, registry, open });
  } finally {
    for (const keys of opened) keys.close();
  }
}

function soon(clock: ManualClock): Date {
  return new Date(clock.now().getTime() + 5_000);
}

const away = new CoreError('unavailable', 'the CA core cannot be reached');

describe('mpic.md §3.1: the key of a perspective', () => {
  it('is made at the first start, for its owner alone, and registered before anything is signed', async () => {
    await inWorld(async ({ file, clock, registry, open }) => {
      const { keyId, site, rir } = await open().signer(soon(clock));
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.deepEqual([...registry.keys.keys()], [keyId]);
      assert.deepEqual([site, rir], ['plant-a', 'RIPE']);
      assert.equal(registry.registrations[0]?.address, '192.0.2.1:5290');
    });
  });

  it('is the same after a restart', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const first = await open().signer(soon(clock));
      const keys = open();
      await keys.maintain();
      assert.equal((await keys.signer(soon(clock))).keyId, first.keyId);
      assert.equal(registry.keys.size, 1);
    });
  });

  it('signs on after a restart while the core is away, under the labels that it had', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const first = await open().signer(soon(clock));
      registry.failure = away;
      const keys = open();
      await keys.maintain();
      assert.deepEqual(await keys.signer(soon(clock)), { ...first, key: (await keys.signer(soon(clock))).key });
      assert.deepEqual(keys.problem, {
        check: 'signing-key',
        detail: 'the CA core cannot be reached',
        isTolerable: true,
      });
    });
  });

  it('is nothing to sign with before it was ever registered', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      registry.failure = away;
      const keys = open();
      await assert.rejects(keys.signer(new Date(clock.now().getTime() + 50)), {
        code: 'unavailable',
        detail: /not registered: the CA core cannot be reached/,
      });
      assert.equal(keys.problem?.isTolerable, false);
      registry.failure = undefined;
      await keys.maintain();
      await keys.signer(soon(clock));
      assert.equal(keys.problem, undefined);
    });
  });

  it('follows when an operator gives the perspective other labels', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const keys = open();
      await keys.signer(soon(clock));
      registry.labels = { site: 'plant-b', rir: '' };
      await keys.maintain();
      const { site, rir } = await keys.signer(soon(clock));
      assert.deepEqual([site, rir], ['plant-b', '']);
    });
  });

  it('has no labels in a gate', async () => {
    await inWorld(async ({ clock, open }) => {
      const { site, rir } = await open().signer(soon(clock));
      assert.deepEqual([site, rir], ['', '']);
    }, 'ra');
  });
});

describe('mpic.md §3.1: keys overlap at roll-over', () => {
  it('lets the next key take over in time, and retires the former one an hour later', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const keys = open();
      const former = await keys.signer(soon(clock));
      clock.advance(90 * day);
      await keys.maintain();
      const next = await keys.signer(soon(clock));
      assert.notEqual(next.keyId, former.keyId);
      assert.deepEqual([...registry.keys.keys()], [former.keyId, next.keyId]);
      assert.equal(registry.keys.get(former.keyId)?.retiredAt, undefined);
      clock.advance(hour);
      await keys.maintain();
      assert.deepEqual(registry.keys.get(former.keyId)?.retiredAt, clock.now());
      assert.equal(registry.keys.get(next.keyId)?.retiredAt, undefined);
    });
  });

  it('goes on with the key that a process which ended in between had registered', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const keys = open();
      const former = await keys.signer(soon(clock));
      clock.advance(90 * day);
      // The answer to the registration of the next key is lost.
      const { registerSigningKey } = registry;
      registry.registerSigningKey = async (request) => {
        const key = await registerSigningKey(request);
        if (key.keyId !== former.keyId) throw away;
        return key;
      };
      await keys.maintain();
      keys.close();
      assert.equal(registry.keys.size, 2);
      registry.registerSigningKey = registerSigningKey;
      const restarted = open();
      await restarted.maintain();
      assert.equal(registry.keys.size, 2);
      assert.equal((await restarted.signer(soon(clock))).keyId, [...registry.keys.keys()][1]);
    });
  });
});

describe('mpic.md §3.1: keys that the core does not take', () => {
  it('registers again with a core that was restored from before, and forgets what is to be retired there', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      const keys = open();
      const former = await keys.signer(soon(clock));
      clock.advance(90 * day);
      await keys.maintain();
      const { keyId } = await keys.signer(soon(clock));
      registry.keys.clear();
      await keys.maintain();
      assert.deepEqual([...registry.keys.keys()], [keyId]);
      clock.advance(hour);
      await keys.maintain();
      assert.equal(keys.problem, undefined);
      assert.ok(!registry.keys.has(former.keyId));
    });
  });

  for (const end of ['revokedAt', 'retiredAt'] as const) {
    it(`makes a new one when it is over: ${end}`, async () => {
      await inWorld(async ({ clock, registry, open }) => {
        const keys = open();
        const { keyId } = await keys.signer(soon(clock));
        const known = registry.keys.get(keyId);
        assert.ok(known !== undefined);
        registry.keys.set(keyId, { ...known, [end]: clock.now() });
        await keys.maintain();
        assert.notEqual((await keys.signer(soon(clock))).keyId, keyId);
        assert.equal(registry.keys.size, 2);
      });
    });
  }

  it('makes none when the holder has too many', async () => {
    await inWorld(async ({ clock, registry, open }) => {
      registry.failure = new CoreError('conflict', 'the holder has 8 active keys');
      const keys = open();
      const { keyId } = keys.current;
      await keys.maintain();
      assert.equal(keys.current.keyId, keyId);
      assert.equal(keys.problem?.detail, 'the holder has 8 active keys');
      await assert.rejects(keys.signer(clock.now()), { code: 'unavailable' });
    });
  });

  it('says so when the core does not list the perspective', async () => {
    await inWorld(async ({ registry, open }) => {
      registry.listPerspectives = async () => [];
      const keys = open();
      await keys.maintain();
      assert.match(keys.problem?.detail ?? '', /does not list the perspective dublin/);
    });
  });
});

describe('the file of the keys', () => {
  it('is refused, never replaced, when it is damaged or others may read it', async () => {
    await inWorld(async ({ file, clock, open }) => {
      const keys = open();
      await keys.signer(soon(clock));
      keys.close();
      const text = readFileSync(file, 'utf8');
      for (const damaged of ['', '{', '{"v":1}', text.replace('PRIVATE', 'PUBLIC'), text.replace('"v": 1', '"v": 2')]) {
        writeFileSync(file, damaged);
        assert.throws(() => openSigningKeyFile(file), { name: 'FatalError', message: /does not hold the keys/ });
        assert.equal(readFileSync(file, 'utf8'), damaged);
      }
      writeFileSync(file, text);
      chmodSync(file, 0o640);
      assert.throws(() => openSigningKeyFile(file), { name: 'FatalError', message: /mode 0640/ });
    });
  });
});
