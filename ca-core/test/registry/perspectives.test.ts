// Perspectives in the living view: the operator's labels, and nothing that could never match a policy.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { callerUri } from '../../src/registry/caller.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import type { NewPerspective } from '../../src/store/perspectives.ts';
import { insertSigningKey } from '../../src/store/signing-keys.ts';
import { isCoreError } from '../core-error.ts';
import { openTestStore } from '../store/test-store.ts';

const test = await openTestStore('in memory');
after(() => test.remove());
const { store, clock } = test;
const registry = createRegistry(store, clock);
const actor = callerUri('operator', 'admin');

function labels(changes: Partial<NewPerspective> = {}): NewPerspective {
  return {
    name: 'dublin',
    site: 'dublin',
    rir: 'RIPE',
    latitude: 53.35,
    longitude: -6.26,
    createdAt: new Date('2026-05-01T00:00:00.007Z'),
    ...changes,
  };
}

function caller(name: string) {
  return { kind: 'perspective', name, uri: callerUri('perspective', name), serialNumber: '4a01' } as const;
}

async function lastEvent() {
  const { instance, sequence } = store.auditHead();
  return readAuditRecords(store, instance, sequence - 1, 1)[0];
}

/** Stores a key of the holder; its thumbprint. */
async function storeKey(holder: string): Promise<string> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subjectPublicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const { thumbprint: keyId } = jwkOfKey(publicKey);
  const key = { keyId, holder, subjectPublicKeyInfo, activeFrom: clock.now() };
  await store.commit({ operations: [insertSigningKey(key)], events: [] });
  registry.reload();
  return keyId;
}

describe('perspectives', () => {
  it('are known once they are added, with their labels', async () => {
    const added = await registry.addPerspective(labels(), actor);
    assert.deepEqual(added, {
      ...labels(),
      uri: 'spiffe://gatehouse.internal/perspective/dublin',
      address: '',
      build: '',
      isDisabled: false,
      credentialExpiresAt: undefined,
    });
    assert.deepEqual(registry.findPerspective('dublin'), added);
    const event = await lastEvent();
    assert.deepEqual([event?.action, event?.actor], ['perspective-added', actor]);
    assert.deepEqual(JSON.parse(event?.body ?? ''), {
      perspective: 'dublin',
      site: 'dublin',
      rir: 'RIPE',
      latitude: 53.35,
      longitude: -6.26,
    });
    registry.admitCall(caller('dublin'));
  });

  it('are the same after a restart', () =>
    assert.deepEqual(createRegistry(store, clock).listPerspectives(), registry.listPerspectives()));

  it('have a name that nobody else has; that of an RA is another', async () => {
    await assert.rejects(registry.addPerspective(labels(), actor), isCoreError('conflict'));
    assert.throws(() => registry.registrationAuthority('dublin'), isCoreError('unauthorized'));
  });

  it('need neither a region nor a place in a private network', async () => {
    const plain = await registry.addPerspective(
      labels({ name: 'plant-a', rir: '', latitude: undefined, longitude: undefined }),
      actor,
    );
    assert.deepEqual([plain.rir, plain.latitude, plain.longitude], ['', undefined, undefined]);
  });

  it('may stand at the equator and on the prime meridian', async () => {
    const { latitude, longitude } = await registry.addPerspective(
      labels({ name: 'gulf', latitude: 0, longitude: 0 }),
      actor,
    );
    assert.deepEqual([latitude, longitude], [0, 0]);
  });

  const mistakes: readonly Partial<NewPerspective>[] = [
    { name: '' },
    { name: 'Dublin' },
    { name: 'a'.repeat(64) },
    { site: '' },
    { site: 'Plant A' },
    { rir: 'ripe' },
    { rir: 'IANA' },
    { latitude: undefined },
    { longitude: undefined },
    { latitude: 90.1 },
    { longitude: -180.5 },
    { latitude: Number.NaN },
    { longitude: Number.POSITIVE_INFINITY },
  ];
  for (const mistake of mistakes) {
    it(`are refused as malformed: ${Object.entries(mistake)}`, async () => {
      const before = store.auditHead().sequence;
      const adding = registry.addPerspective(labels({ name: 'new', ...mistake }), actor);
      await assert.rejects(adding, isCoreError('malformed'));
      assert.equal(store.auditHead().sequence, before);
    });
  }

  it('that nobody added may not call, whatever their credential says', () => {
    for (const name of ['ghost', 'constructor']) {
      assert.throws(() => registry.admitCall(caller(name)), isCoreError('unauthorized'));
      assert.throws(() => registry.perspective(name), isCoreError('unauthorized'));
    }
  });
});

describe('a perspective that is disabled', () => {
  it('is shut out at once, its keys retired, and stays listed', async () => {
    const { uri } = await registry.addPerspective(labels({ name: 'old' }), actor);
    const keyId = await storeKey(uri);
    const other = await storeKey(callerUri('perspective', 'dublin'));
    const from = clock.now();
    await registry.disablePerspective('old', actor);
    assert.throws(() => registry.admitCall(caller('old')), isCoreError('unauthorized'));
    assert.throws(() => registry.perspective('old'), isCoreError('unauthorized'));
    assert.equal(registry.findPerspective('old')?.isDisabled, true);
    const retiredAt = registry.findSigningKey(keyId)?.retiredAt;
    assert.ok(retiredAt && retiredAt >= from);
    assert.equal(registry.findSigningKey(other)?.retiredAt, undefined);
    assert.equal((await lastEvent())?.action, 'perspective-disabled');
    assert.ok(registry.listPerspectives().some(({ name }) => name === 'old'));
  });

  it('must be one that there is', () =>
    assert.rejects(registry.disablePerspective('none', actor), isCoreError('not-found')));

  it('cannot be added again', () =>
    assert.rejects(registry.addPerspective(labels({ name: 'old' }), actor), isCoreError('conflict')));
});

describe('signing keys in the view', () => {
  it('are found by thumbprint, by holder and by fingerprint, also after a restart', async () => {
    const holder = callerUri('gate', 'acme');
    const keyId = await storeKey(holder);
    for (const view of [registry, createRegistry(store, clock)]) {
      const found = view.findSigningKey(keyId);
      assert.equal(found?.key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
      assert.deepEqual(
        view.listSigningKeys(holder).map((key) => key.keyId),
        [keyId],
      );
      assert.ok(found);
      assert.equal(view.isSigningKey(publicKeyFingerprint(found.subjectPublicKeyInfo)), true);
      assert.equal(view.isSigningKey(Buffer.alloc(32)), false);
    }
    assert.equal(registry.findSigningKey('constructor'), undefined);
    assert.deepEqual(registry.listSigningKeys('constructor'), []);
  });
});
