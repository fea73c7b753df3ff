// RFC 5280 §5: what CRLs and OCSP follow. One position for each change that happened, in the order of commits.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { holdCertificate, releaseCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import { lastStatusPosition, listStatusChanges, pruneStatusChanges } from '../../src/store/status-changes.ts';
import type { WriteOperation } from '../../src/store/write-set.ts';
import { isCoreError } from '../core-error.ts';
import { certificate, event, issuance, openTestStore } from './test-store.ts';

const at = new Date('2026-05-03T01:02:03.004Z');
const revocation = (serialNumber: string, reason = 4) => ({ serialNumber, reason, revokedAt: at, actor: 'admin' });

for (const place of ['on disk', 'in memory'] as const) {
  const test = await openTestStore(place);
  after(() => test.remove());
  const { store } = test;
  const change = (operations: readonly WriteOperation[]): Promise<void> =>
    store.commit({ operations, events: [event({ action: 'status-changed' })] });
  const issue = async (changes: Parameters<typeof certificate>[0] = {}) => {
    const issued = certificate(changes);
    await store.commit(issuance(issued));
    return issued;
  };
  const newChanges = (position: number) => listStatusChanges(store, position, 1000);

  describe(`changes of status, ${place}`, () => {
    it('there is none before the first', () => {
      assert.equal(lastStatusPosition(store), 0);
      assert.deepEqual(newChanges(0), []);
    });

    it('each has a position and copies of what CRLs need of the certificate', async () => {
      const { serialNumber, notAfter } = await issue({ crlScope: 'issuing-3' });
      await change(holdCertificate(revocation(serialNumber, 6)));
      await change(releaseCertificate(serialNumber, at));
      await change(revokeCertificate(revocation(serialNumber)));
      const same = { serialNumber, authority: 'issuing', crlScope: 'issuing-3', notAfter, at };
      assert.deepEqual(newChanges(0), [
        { position: 1, state: 'held', ...same },
        { position: 2, state: 'released', ...same },
        { position: 3, state: 'revoked', ...same },
      ]);
      assert.equal(lastStatusPosition(store), 3);
      const row = await store.kysely
        .selectFrom('revocations')
        .select(['authority', 'crl_scope', 'not_after'])
        .where('serial_number', '=', serialNumber)
        .executeTakeFirstOrThrow();
      assert.deepEqual({ ...row }, { authority: 'issuing', crl_scope: 'issuing-3', not_after: notAfter.getTime() });
    });

    it('a change that is refused takes no position, also among others that are not', async () => {
      const before = lastStatusPosition(store);
      const issued = await Promise.all(Array.from({ length: 8 }, () => issue()));
      const twice = [...issued, ...issued].map(({ serialNumber }) => serialNumber);
      const outcomes = await Promise.allSettled(twice.map((one) => change(revokeCertificate(revocation(one)))));
      for (const [index, outcome] of outcomes.entries()) {
        assert.equal(outcome.status, index < issued.length ? 'fulfilled' : 'rejected');
        if (outcome.status === 'rejected') assert.ok(isCoreError('already-revoked')(outcome.reason));
      }
      await assert.rejects(change(releaseCertificate(twice[0] ?? '', at)), isCoreError('conflict'));
      assert.deepEqual(
        newChanges(before).map(({ position, serialNumber }) => ({ position, serialNumber })),
        issued.map(({ serialNumber }, index) => ({ position: before + 1 + index, serialNumber })),
      );
    });

    it('they are read page by page', () => {
      const pages = [listStatusChanges(store, 0, 2), listStatusChanges(store, 2, 2)].flat();
      assert.deepEqual(
        pages.map(({ position }) => position),
        [1, 2, 3, 4],
      );
    });

    it('a position is never taken again, also when all are forgotten', async () => {
      const last = lastStatusPosition(store);
      await change([pruneStatusChanges(last)]);
      assert.deepEqual(
        newChanges(0).map(({ position }) => position),
        [last],
      );
      await change([pruneStatusChanges(last + 1)]);
      assert.equal(lastStatusPosition(store), last);
      await change(revokeCertificate(revocation((await issue()).serialNumber)));
      assert.deepEqual(
        newChanges(0).map(({ position }) => position),
        [last + 1],
      );
    });
  });
}
