// Certificates, their standing, their keys: what was recorded comes back, to the octet and the millisecond.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { blockKey, isKeyBlocked } from '../../src/store/blocked-keys.ts';
import { findCertificate, hasRenewedSuccessor, isCredentialKey, standingOf } from '../../src/store/certificates.ts';
import {
  countOrphanIntents,
  fulfilIntent,
  insertIntent,
  listOrphanIntents,
  orphanAgeMs,
} from '../../src/store/intents.ts';
import { holdCertificate, releaseCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import type { WriteOperation } from '../../src/store/write-set.ts';
import { isCoreError } from '../core-error.ts';
import { certificate, event, issuance, openTestStore } from './test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const { store } = test;
const actor = 'spiffe://gatehouse.internal/operator/admin';
const revokedAt = new Date('2026-05-03T01:02:03.004Z');

function change(operations: WriteOperation | readonly WriteOperation[]): Promise<void> {
  return store.commit({ operations: [operations].flat(), events: [event({ action: 'status-changed' })] });
}

async function issue(changes: Parameters<typeof certificate>[0] = {}) {
  const issued = certificate(changes);
  await store.commit(issuance(issued));
  return issued;
}

function find(serialNumber: string) {
  const found = findCertificate(store, serialNumber);
  assert.ok(found);
  return found;
}

describe('certificates', () => {
  it('come back as they were recorded', async () => {
    const issued = await issue({ renews: '4a01ff', subject: 'CN=ä\\,b' });
    const { searchNames, ...recorded } = issued;
    const found = find(issued.serialNumber);
    assert.deepEqual(
      {
        ...found,
        certificate: Buffer.from(found.certificate),
        keyFingerprint: Buffer.from(found.keyFingerprint),
        tbsSha256: Buffer.from(found.tbsSha256),
      },
      { ...recorded, revocation: undefined },
    );
    assert.equal(searchNames.length, 1);
  });

  it('are not found by a serial number that nobody issued', () => {
    assert.equal(findCertificate(store, 'ff'), undefined);
  });

  it('are superseded once their renewal was renewed', async () => {
    const first = await issue();
    const second = await issue({ renews: first.serialNumber });
    assert.equal(hasRenewedSuccessor(store, first.serialNumber), false);
    await issue({ renews: second.serialNumber });
    assert.equal(hasRenewedSuccessor(store, first.serialNumber), true);
    assert.equal(hasRenewedSuccessor(store, second.serialNumber), false);
  });
});

describe('keys', () => {
  it('of credentials are known as such, those of other certificates are not', async () => {
    const credential = await issue({ authority: 'service' });
    const other = await issue();
    assert.equal(isCredentialKey(store, credential.keyFingerprint), true);
    assert.equal(isCredentialKey(store, other.keyFingerprint), false);
  });

  it('stay blocked, with the first reason', async () => {
    const fingerprint = randomBytes(32);
    assert.equal(isKeyBlocked(store, fingerprint), false);
    await change(blockKey({ fingerprint, reason: 'lost', blockedAt: revokedAt }));
    await change(blockKey({ fingerprint, reason: 'again', blockedAt: revokedAt }));
    assert.equal(isKeyBlocked(store, fingerprint), true);
  });
});

describe('RFC 5280 §5.3.1: status', () => {
  const revocation = (serialNumber: string, reason = 1) => ({ serialNumber, reason, revokedAt, actor });

  it('a revocation is read with its certificate', async () => {
    const { serialNumber } = await issue();
    const invalidityDate = new Date('2026-05-02T00:00:00Z');
    await change(revokeCertificate({ ...revocation(serialNumber, 4), invalidityDate }));
    assert.deepEqual(find(serialNumber).revocation, { state: 'revoked', reason: 4, revokedAt, invalidityDate, actor });
  });

  it('is final: revoking twice, holding or releasing a revoked certificate is refused', async () => {
    const { serialNumber } = await issue();
    await change(revokeCertificate(revocation(serialNumber)));
    await assert.rejects(change(revokeCertificate(revocation(serialNumber))), isCoreError('already-revoked'));
    await assert.rejects(change(holdCertificate(revocation(serialNumber, 6))), isCoreError('already-revoked'));
    await assert.rejects(change(releaseCertificate(serialNumber, revokedAt)), isCoreError('conflict'));
    assert.equal(find(serialNumber).revocation?.reason, 1);
  });

  it('a hold can be released, and turned into a revocation', async () => {
    const { serialNumber } = await issue();
    await change(holdCertificate(revocation(serialNumber, 6)));
    assert.equal(find(serialNumber).revocation?.state, 'held');
    await assert.rejects(change(holdCertificate(revocation(serialNumber, 6))), isCoreError('already-revoked'));
    await change(releaseCertificate(serialNumber, revokedAt));
    assert.equal(find(serialNumber).revocation, undefined);
    await change(holdCertificate(revocation(serialNumber, 6)));
    await change(revokeCertificate(revocation(serialNumber)));
    assert.equal(find(serialNumber).revocation?.state, 'revoked');
  });

  it('a revocation counts more than the end of the certificate', async () => {
    const issued = await issue();
    const later = new Date(issued.notAfter.getTime() + 1);
    assert.equal(standingOf(find(issued.serialNumber), issued.notAfter), 'valid');
    assert.equal(standingOf(find(issued.serialNumber), later), 'expired');
    await change(revokeCertificate(revocation(issued.serialNumber)));
    assert.equal(standingOf(find(issued.serialNumber), later), 'revoked');
  });
});

describe('CORE.md, issuance step 7: intents', () => {
  it('are orphans when they have no result after a minute', async () => {
    const intent = { serialNumber: '4a01aa', tbsSha256: randomBytes(32), requestId: 'r', createdAt: revokedAt };
    await change(insertIntent(intent));
    const soon = new Date(revokedAt.getTime() + orphanAgeMs);
    const later = new Date(soon.getTime() + 1);
    assert.equal(countOrphanIntents(store, soon), 0);
    assert.equal(countOrphanIntents(store, later), 1);
    assert.deepEqual(
      listOrphanIntents(store, later, 10).map((one) => ({ ...one, tbsSha256: Buffer.from(one.tbsSha256) })),
      [intent],
    );
    await change(fulfilIntent(intent.serialNumber));
    assert.equal(countOrphanIntents(store, later), 0);
  });

  it('reserve their serial number', async () => {
    const intent = { serialNumber: '4a01bb', tbsSha256: randomBytes(32), requestId: 'r', createdAt: revokedAt };
    await change(insertIntent(intent));
    await assert.rejects(change(insertIntent(intent)), { code: 'unique' });
  });
});
