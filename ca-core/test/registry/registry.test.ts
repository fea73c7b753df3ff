// The living view of who may call: it changes with the store, and at once.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import { type Caller, type CallerKind, callerUri } from '../../src/registry/caller.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import type { NewRegistrationAuthority } from '../../src/store/registration-authorities.ts';
import { holdCertificate, releaseCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import { isCoreError } from '../core-error.ts';
import { certificate, event, issuance, openTestStore } from '../store/test-store.ts';

const test = await openTestStore('in memory');
after(() => test.remove());
const { store, clock } = test;
const registry = createRegistry(store, clock);
const actor = callerUri('operator', 'admin');

function ra(changes: Partial<NewRegistrationAuthority> = {}): NewRegistrationAuthority {
  return {
    name: 'est',
    profiles: ['tls-server', 'tls-client'],
    scope: { dnsSuffixes: ['example.com'], ipRanges: [], uriPrefixes: [], emailDomains: [], subjectAttributes: [] },
    maximumValidityMs: undefined,
    ratePerSecond: 0,
    createdAt: new Date('2026-05-01T00:00:00.007Z'),
    ...changes,
  };
}

function caller(kind: CallerKind, name: string, serialNumber = '4a01'): Caller {
  return { kind, name, uri: callerUri(kind, name), serialNumber };
}

async function lastEvent() {
  const { instance, sequence } = store.auditHead();
  return readAuditRecords(store, instance, sequence - 1, 1)[0];
}

describe('registration authorities', () => {
  it('are known once they are added, with what they may ask for', async () => {
    await registry.addRegistrationAuthority(ra({ maximumValidityMs: 1000, ratePerSecond: 2.5 }), actor);
    const known = registry.registrationAuthority('est');
    assert.deepEqual([...known.profiles], ['tls-server', 'tls-client']);
    assert.equal(known.scope.allowsDns('tls-server', 'www.example.com'), true);
    assert.equal(known.scope.allowsDns('tls-server', 'www.example.org'), false);
    assert.equal(known.maximumValidityMs, 1000);
    assert.equal(known.ratePerSecond, 2.5);
    assert.deepEqual(known.createdAt, new Date('2026-05-01T00:00:00.007Z'));
    assert.equal(known.credentialExpiresAt, undefined);
    registry.admitCall(caller('gate', 'est'));
    const added = await lastEvent();
    assert.deepEqual([added?.action, added?.registrationAuthority, added?.actor], ['ra-added', 'est', actor]);
  });

  it('are the same after a restart', () => {
    const reread = createRegistry(store, clock).registrationAuthority('est');
    assert.deepEqual(reread.declaredScope, ra().scope);
    assert.deepEqual([...reread.profiles], ['tls-server', 'tls-client']);
  });

  it('have a name that nobody else has', async () => {
    await assert.rejects(registry.addRegistrationAuthority(ra(), actor), isCoreError('conflict'));
  });

  const mistakes: readonly Partial<NewRegistrationAuthority>[] = [
    { name: '' },
    { name: 'Est' },
    { name: 'a_b' },
    { name: 'a'.repeat(64) },
    { ratePerSecond: -1 },
    { ratePerSecond: Number.NaN },
    { maximumValidityMs: 0 },
    { scope: { ...ra().scope, ipRanges: ['300.0.0.0/8'] } },
  ];
  for (const mistake of mistakes) {
    it(`are refused as malformed: ${JSON.stringify(mistake)}`, async () => {
      const before = store.auditHead().sequence;
      await assert.rejects(
        registry.addRegistrationAuthority(ra({ name: 'new', ...mistake }), actor),
        isCoreError('malformed'),
      );
      assert.equal(store.auditHead().sequence, before);
    });
  }

  it('are shut out at once when they are disabled, and stay listed', async () => {
    await registry.addRegistrationAuthority(ra({ name: 'old' }), actor);
    await registry.disableRegistrationAuthority('old', actor);
    assert.throws(() => registry.admitCall(caller('gate', 'old')), isCoreError('unauthorized'));
    assert.throws(() => registry.registrationAuthority('old'), isCoreError('unauthorized'));
    assert.equal(registry.findRegistrationAuthority('old')?.isDisabled, true);
    assert.deepEqual(
      registry.listRegistrationAuthorities().map(({ name }) => name),
      ['est', 'old'],
    );
    await assert.rejects(registry.disableRegistrationAuthority('none', actor), isCoreError('not-found'));
  });

  it('that nobody added may not call, whatever their credential says', () => {
    assert.throws(() => registry.admitCall(caller('gate', 'ghost')), isCoreError('unauthorized'));
    assert.throws(() => registry.registrationAuthority('ghost'), isCoreError('unauthorized'));
    assert.throws(() => registry.registrationAuthority('constructor'), isCoreError('unauthorized'));
  });

  it('are added together with what goes with them, or not at all', async () => {
    const also = { operations: releaseCertificate('none', clock.now()), events: [] };
    await assert.rejects(registry.addRegistrationAuthority(ra({ name: 'both' }), actor, also), isCoreError('conflict'));
    assert.equal(registry.findRegistrationAuthority('both'), undefined);
  });
});

describe('operators', () => {
  it('may call while they are known and not disabled', async () => {
    assert.throws(() => registry.admitCall(caller('operator', 'ann')), isCoreError('unauthorized'));
    await registry.addOperator('ann', actor);
    registry.admitCall(caller('operator', 'ann'));
    await assert.rejects(registry.addOperator('ann', actor), isCoreError('conflict'));
    await registry.disableOperator('ann', actor);
    assert.throws(() => registry.admitCall(caller('operator', 'ann')), isCoreError('unauthorized'));
    assert.equal((await lastEvent())?.action, 'operator-disabled');
    await assert.rejects(registry.disableOperator('none', actor), isCoreError('not-found'));
    await assert.rejects(registry.addOperator('A b', actor), isCoreError('malformed'));
  });

  it('have no rights by the name of an RA', () => {
    assert.throws(() => registry.admitCall(caller('operator', 'est')), isCoreError('unauthorized'));
  });
});

describe('credentials that were revoked', () => {
  it('may not call from that moment on, and may again when a hold is released', async () => {
    const credential = certificate({ authority: 'service', serialNumber: '4a01cc' });
    await store.commit(issuance(credential));
    const holder = caller('gate', 'est', '4a01cc');
    registry.admitCall(holder);
    const change = { serialNumber: '4a01cc', reason: 6, revokedAt: clock.now(), actor };
    await store.commit({ operations: holdCertificate(change), events: [event({ action: 'status-changed' })] });
    registry.statusChanged('4a01cc');
    assert.throws(() => registry.admitCall(holder), isCoreError('unauthorized'));
    registry.admitCall(caller('gate', 'est', '4a01dd'));
    await store.commit({
      operations: releaseCertificate('4a01cc', clock.now()),
      events: [event({ action: 'status-changed' })],
    });
    registry.statusChanged('4a01cc');
    registry.admitCall(holder);
    await store.commit({ operations: revokeCertificate(change), events: [event({ action: 'status-changed' })] });
    registry.statusChanged('4a01cc');
    assert.throws(() => registry.admitCall(holder), isCoreError('unauthorized'));
  });

  it('may not call after a restart either', () => {
    assert.throws(
      () => createRegistry(store, clock).admitCall(caller('gate', 'est', '4a01cc')),
      isCoreError('unauthorized'),
    );
  });
});

describe('the rate of an RA', () => {
  it('is refused above it, with the time after which to try again, and comes back', async () => {
    const limited = await registry.addRegistrationAuthority(ra({ name: 'slow', ratePerSecond: 2 }), actor);
    registry.admitEnrollment(limited);
    registry.admitEnrollment(limited);
    assert.throws(
      () => registry.admitEnrollment(limited),
      (error) => error instanceof CoreError && error.code === 'rate-limited' && error.retryAfterSeconds === 1,
    );
    clock.advance(500);
    registry.admitEnrollment(limited);
  });

  it('is not forgotten when something else changes', async () => {
    await registry.addRegistrationAuthority(ra({ name: 'another' }), actor);
    assert.throws(() => registry.admitEnrollment(registry.registrationAuthority('slow')), isCoreError('rate-limited'));
  });

  it('is without limit when it is 0', () => {
    const unlimited = registry.registrationAuthority('another');
    for (let i = 0; i < 1000; i++) registry.admitEnrollment(unlimited);
  });
});
