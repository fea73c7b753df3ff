// Sealing: only what has grown, never more than what is on the disk, one after the other, and through trouble with the
// file.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { openAuditSeals } from '../../src/audit/seal.ts';
import { readSealLine } from '../../src/audit/seal-line.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { eventSet, openTestStore } from '../store/test-store.ts';

const test = await openTestStore('in memory');
after(() => test.remove());
const options = { ...test, file: test.sealsFile, intervalMs: 3_600_000 };
const lines = (): readonly string[] => readFileSync(test.sealsFile, 'utf8').trimEnd().split('\n');

describe('CORE.md, audit: the heads are sealed outside the table', () => {
  it('at start, and again only when the log has grown', async () => {
    const seals = await openAuditSeals(options);
    assert.equal(lines().length, 1);
    await seals.seal();
    assert.equal(lines().length, 1);
    await test.store.commit(eventSet());
    assert.equal(seals.lag(), 1);
    await seals.seal();
    assert.equal(seals.lag(), 0);
    assert.equal(lines().length, 2);
    assert.equal(readSealLine(lines()[1] ?? '', test.key)?.heads[0]?.sequence, 1);
    await seals.close();
  });

  it('at the end', async () => {
    const seals = await openAuditSeals(options);
    const before = lines().length;
    await test.store.commit(eventSet());
    await seals.close();
    assert.equal(lines().length, before + 1);
  });

  it('one after the other when it is asked for at once', async () => {
    const seals = await openAuditSeals(options);
    await Promise.all([test.store.commit(eventSet()), seals.seal(), seals.seal(), test.store.commit(eventSet())]);
    await Promise.all([seals.seal(), seals.seal()]);
    await seals.close();
    assert.equal((await verifyAudit(test.store, test.key, test.sealsFile)).firstBreak, undefined);
  });

  it('in a file that only its owner may read', () => assert.equal(statSync(test.sealsFile).mode & 0o777, 0o600));
});

describe('trouble with the file of seals', () => {
  it('takes away what a crash left of a seal', async () => {
    const before = lines().length;
    appendFileSync(test.sealsFile, '{"at":"2026-05-0');
    await test.store.commit(eventSet());
    const seals = await openAuditSeals(options);
    await seals.close();
    assert.equal(seals.problem(), undefined);
    assert.equal(lines().length, before + 1);
    assert.equal((await verifyAudit(test.store, test.key, test.sealsFile)).firstBreak, undefined);
  });

  it('that cannot be written is told once', async () => {
    const seals = await openAuditSeals(options);
    await seals.close();
    await test.store.commit(eventSet());
    // The file is closed, as a stand-in for a disk that takes nothing.
    await assert.rejects(seals.seal());
    await assert.rejects(seals.seal());
    assert.equal(seals.problem(), 'the audit log cannot be sealed');
    assert.equal(test.logged.filter((line) => line.includes('cannot seal the audit log')).length, 1);
  });

  it('that is gone while there is a log is a problem at start', async () => {
    const seals = await openAuditSeals({ ...options, file: `${test.sealsFile}.new` });
    assert.equal(seals.problem(), 'there is a log, but there are no seals');
    await seals.close();
  });
});
