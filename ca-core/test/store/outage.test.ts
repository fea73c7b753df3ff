// A store that cannot write says so, loses nothing, and comes back by itself.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { sql } from 'kysely';
import { openAuditSeals } from '../../src/audit/seal.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { findCertificate } from '../../src/store/certificates.ts';
import { isCoreError } from '../core-error.ts';
import { certificate, eventSet, issuance, openTestStore, type TestStore } from './test-store.ts';

/** Ways to take the disk away from a connection and to give it back. */
const outages = {
  'disk-full': {
    begin: sql`PRAGMA max_page_count = 1`,
    end: sql`PRAGMA max_page_count = 1000000`,
    says: /the disk that holds the database is full/,
  },
  'read-only': {
    begin: sql`PRAGMA query_only = 1`,
    end: sql`PRAGMA query_only = 0`,
    says: /the database or its directory cannot be written/,
  },
} as const;

/** Sets until one no longer fits into the pages that are there. */
async function commitUntilRefused({ store }: TestStore): Promise<unknown> {
  for (let i = 0; i < 1000; i++) {
    try {
      await store.commit(issuance());
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

for (const [code, { begin, end, says }] of Object.entries(outages)) {
  describe(`issue 2 §7: ${code}`, async () => {
    const test = await openTestStore('in memory');
    after(() => test.remove());
    const { store } = test;
    const seals = await openAuditSeals({ ...test, file: test.sealsFile });
    after(() => seals.close());

    it('is unavailable to callers, one line in the log, and red for readiness', async () => {
      await begin.execute(store.kysely);
      assert.ok(isCoreError('unavailable')(await commitUntilRefused(test)));
      await assert.rejects(
        store.commit(issuance(certificate({ certificate: Buffer.alloc(100_000) }))),
        isCoreError('unavailable'),
      );
      assert.equal(store.health()?.code, code);
      assert.match(store.health()?.detail ?? '', says);
      assert.equal(test.logged.filter((line) => says.test(line)).length, 1);
    });

    it('fails every member of a group and stores nothing of it', async () => {
      const issued = Array.from({ length: 5 }, () => certificate({ certificate: Buffer.alloc(100_000) }));
      const results = await Promise.allSettled(issued.map((one) => store.commit(issuance(one))));
      assert.ok(results.every((result) => result.status === 'rejected' && isCoreError('unavailable')(result.reason)));
      for (const { serialNumber } of issued) assert.equal(findCertificate(store, serialNumber), undefined);
    });

    it('still reads, and what was written before holds', async () => {
      await seals.seal();
      assert.equal((await verifyAudit(store, test.key, test.sealsFile)).firstBreak, undefined);
    });

    it('is over with the next attempt after its cause', async () => {
      const before = store.auditHead().sequence;
      await end.execute(store.kysely);
      await store.commit(issuance());
      assert.equal(store.health(), undefined);
      assert.equal(store.auditHead().sequence, before + 1);
      assert.equal(test.logged.filter((line) => /can write again/.test(line)).length, 1);
      await seals.seal();
      assert.equal((await verifyAudit(store, test.key, test.sealsFile)).firstBreak, undefined);
    });
  });
}

describe('readiness after an outage', () => {
  it('comes back without a client, by an attempt of its own', async () => {
    const test = await openTestStore('in memory');
    await outages['read-only'].begin.execute(test.store.kysely);
    await assert.rejects(test.store.commit(eventSet()), isCoreError('unavailable'));
    assert.equal((await test.store.probe())?.code, 'read-only');
    await outages['read-only'].end.execute(test.store.kysely);
    assert.equal(await test.store.probe(), undefined);
    await test.remove();
  });

  it('is not asked of the disk while nothing is wrong', async () => {
    const test = await openTestStore('in memory');
    await outages['read-only'].begin.execute(test.store.kysely);
    assert.equal(await test.store.probe(), undefined);
    await test.remove();
  });
});
