// Enrollments: once for each idempotency key, decided once.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import { findCertificate, insertCertificate } from '../../src/store/certificates.ts';
import {
  approveRequest,
  DuplicateRequestError,
  findRequest,
  findRequestByIdempotencyKey,
  insertPendingRequest,
  listPendingRequests,
  rejectRequest,
} from '../../src/store/requests.ts';
import { certificate, event, issuance, openTestStore, request } from './test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const { store } = test;
const decidedAt = new Date('2026-05-02T08:00:00.500Z');

function pending(changes: Parameters<typeof request>[0] = {}) {
  const asked = { ...request(changes), payload: Buffer.of(1, 2, 3), subject: 'CN=a', names: ['DNS:a.example.com'] };
  return {
    asked,
    set: { operations: [insertPendingRequest(asked)], events: [event({ action: 'enrollment-pending' })] },
  };
}

describe('ARCHITECTURE §1 rule 4: exactly once', () => {
  it('refuses the second set with the same RA and key, also in one group, and keeps the first answer', async () => {
    const asked = request();
    const [first, second] = [certificate(), certificate()];
    const results = await Promise.allSettled([
      store.commit(issuance(first, asked)),
      store.commit(issuance(second, { ...asked, id: 'another' })),
      store.commit(issuance()),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.ok(results[1]?.status === 'rejected' && results[1].reason instanceof DuplicateRequestError);
    assert.equal(findCertificate(store, second.serialNumber), undefined);
    const record = findRequestByIdempotencyKey(store, 'est', asked.idempotencyKey);
    assert.equal(record?.serialNumber, first.serialNumber);
    assert.deepEqual(record?.contentSha256, new Uint8Array(asked.contentSha256));
  });

  it('refuses it a while later, and after a restart', async () => {
    const asked = request();
    await store.commit(issuance(certificate(), asked));
    await assert.rejects(store.commit(issuance(certificate(), asked)), DuplicateRequestError);
    const reopened = await test.reopen();
    await assert.rejects(reopened.commit(issuance(certificate(), asked)), { code: 'duplicate-request' });
    assert.ok(findRequestByIdempotencyKey(reopened, 'est', asked.idempotencyKey));
  });

  it('lets two RAs use the same key', async () => {
    const asked = request();
    await test.store.commit(issuance(certificate(), asked));
    await test.store.commit(issuance(certificate(), { ...asked, id: 'other', registrationAuthority: 'acme' }));
    assert.equal(findRequestByIdempotencyKey(test.store, 'acme', asked.idempotencyKey)?.id, 'other');
  });

  it('refuses a pending one with a key that was used', async () => {
    const { asked, set } = pending();
    await test.store.commit(set);
    await assert.rejects(
      test.store.commit(pending({ idempotencyKey: asked.idempotencyKey }).set),
      DuplicateRequestError,
    );
    await assert.rejects(test.store.commit(issuance(certificate(), { ...asked, id: 'x' })), DuplicateRequestError);
  });
});

describe('enrollments that wait for a person', () => {
  it('are read as they were written', async () => {
    const { asked, set } = pending({ requestedAt: new Date('2026-04-01T00:00:00.001Z') });
    await test.store.commit(set);
    const record = findRequest(test.store, asked.id);
    assert.deepEqual(
      {
        ...record,
        payload: Buffer.from(record?.payload ?? []),
        contentSha256: Buffer.from(record?.contentSha256 ?? []),
      },
      {
        ...asked,
        state: 'pending',
        serialNumber: undefined,
        decidedAt: undefined,
        decidedBy: undefined,
        reason: undefined,
      },
    );
    assert.equal(listPendingRequests(test.store, 10)[0]?.id, asked.id);
  });

  it('become issued together with their certificate, and only once', async () => {
    const { asked, set } = pending();
    await test.store.commit(set);
    const issued = certificate();
    const { serialNumber } = issued;
    const decision = {
      id: asked.id,
      decidedAt,
      decidedBy: 'spiffe://gatehouse.internal/operator/admin',
      reason: 'known',
    };
    const approval = {
      operations: [...insertCertificate(issued), approveRequest({ ...decision, serialNumber })],
      events: [event({ action: 'enrollment-approved' })],
    };
    await test.store.commit(approval);
    const record = findRequest(test.store, asked.id);
    assert.equal(record?.state, 'issued');
    assert.equal(record.serialNumber, serialNumber);
    assert.deepEqual(record.decidedAt, decidedAt);
    assert.equal(record.payload, undefined);
    const rejection = { operations: [rejectRequest(decision)], events: [event({ action: 'enrollment-rejected' })] };
    await assert.rejects(
      test.store.commit(rejection),
      (error) => error instanceof CoreError && error.code === 'conflict',
    );
    assert.equal(listPendingRequests(test.store, 10).filter(({ id }) => id === asked.id).length, 0);
  });
});
