// Which perspectives may be asked: followed through the keep, outliving its absence, with connections that follow addresses;
// and the breaker.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { RegisteredPerspective } from '@gatehouse/ra-client/domain-validation';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createBreaker } from '../../src/perspectives/breaker.ts';
import { createPerspectiveRegistry } from '../../src/perspectives/registry.ts';
import { createTestLog } from '../support/log.ts';
import { createDouble, newKey } from '../support/perspectives.ts';

function registered(name: string, changes: Partial<RegisteredPerspective> = {}): RegisteredPerspective {
  const spki = createPublicKey(newKey()).export({ format: 'der', type: 'spki' });
  const key = { keyId: `key-${name}`, holder: name, subjectPublicKeyInfo: spki };
  return {
    name,
    site: name,
    rir: '',
    isDisabled: false,
    address: `${name}:5290`,
    keys: [{ ...key, activeFrom: new Date(0), retiredAt: undefined, revokedAt: undefined }],
    createdAt: undefined,
    credentialExpiresAt: undefined,
    build: '',
    latitude: undefined,
    longitude: undefined,
    ...changes,
  };
}

function prepare() {
  const clock = createManualClock(new Date('2026-11-21T12:00:00Z'));
  const { log, lines } = createTestLog();
  let list: readonly RegisteredPerspective[] | undefined = [registered('a'), registered('b')];
  let asked = 0;
  const connections: string[] = [];
  const registry = createPerspectiveRegistry({
    listPerspectives: async () => {
      asked++;
      if (list === undefined) throw new CoreError('unavailable', 'the core is away');
      return list;
    },
    connect: (name, address) => {
      connections.push(`+${address}`);
      const { client } = createDouble(name).perspective;
      return { ...client, close: async () => void connections.push(`-${address}`) };
    },
    clock,
    log,
  });
  return {
    clock,
    registry,
    lines,
    connections,
    asked: () => asked,
    set: (next: readonly RegisteredPerspective[] | undefined) => {
      list = next;
    },
    names: async () => (await registry.list()).map(({ name }) => name),
  };
}

describe('mpic.md §3: the registry of perspectives', () => {
  it('is asked for once in a while, by whoever asks at once', async () => {
    const { clock, registry, asked } = prepare();
    await Promise.all([registry.list(), registry.list(), registry.list()]);
    assert.equal(asked(), 1);
    clock.advance(9_000);
    await registry.list();
    assert.equal(asked(), 1);
    clock.advance(2_000);
    await registry.list();
    assert.equal(asked(), 2);
  });

  it('is asked for sooner when somebody did not answer, but not for each who does not', async () => {
    const { clock, registry, asked } = prepare();
    await registry.list();
    registry.doubt();
    await registry.list();
    assert.equal(asked(), 1);
    clock.advance(1_500);
    await registry.list();
    await registry.list();
    assert.equal(asked(), 2);
  });

  it('leaves out who is disabled, has no address, or has no active key', async () => {
    const { set, names } = prepare();
    const [key] = registered('x').keys;
    assert.ok(key !== undefined);
    set([
      registered('a'),
      registered('b', { isDisabled: true }),
      registered('c', { address: '' }),
      registered('d', { keys: [{ ...key, revokedAt: new Date(1) }] }),
      registered('e', { keys: [{ ...key, retiredAt: new Date(1) }] }),
    ]);
    assert.deepEqual(await names(), ['a']);
  });

  it('closes connections to who is gone, and makes a new one to who moved', async () => {
    const { clock, set, names, connections } = prepare();
    await names();
    set([registered('a', { address: 'a:9999' })]);
    clock.advance(11_000);
    await names();
    assert.deepEqual(connections, ['+a:5290', '+b:5290', '-b:5290', '-a:5290', '+a:9999']);
  });

  it('is used as it was while the keep is away', async () => {
    const { clock, set, names, lines } = prepare();
    await names();
    set(undefined);
    clock.advance(11_000);
    assert.deepEqual(await names(), ['a', 'b']);
    assert.ok(lines().some(({ level }) => level === 'warn'));
  });

  it('fails when the keep never answered', async () => {
    const { set, registry } = prepare();
    set(undefined);
    await assert.rejects(registry.list(), CoreError);
  });
});

describe('mpic.md §4: the breaker', () => {
  it('opens after three misses in a row of one check, and gives another chance after a while', () => {
    const clock = createManualClock(new Date('2026-11-21T12:00:00Z'));
    const { log, lines } = createTestLog();
    const breaker = createBreaker(clock, log);
    breaker.missed('a', 'dcv');
    breaker.missed('a', 'dcv');
    breaker.answered('a', 'caa');
    assert.equal(breaker.isOpen('a'), false);
    breaker.missed('a', 'dcv');
    assert.equal(breaker.isOpen('a'), true);
    assert.deepEqual(breaker.open(), ['a']);
    assert.equal(lines().filter(({ level }) => level === 'error').length, 1);
    clock.advance(31_000);
    assert.equal(breaker.isOpen('a'), false);
    breaker.missed('a', 'dcv');
    assert.equal(breaker.isOpen('a'), true);
    clock.advance(31_000);
    breaker.answered('a', 'dcv');
    breaker.missed('a', 'dcv');
    assert.equal(breaker.isOpen('a'), false);
  });
});
