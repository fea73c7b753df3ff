// The writer thread: what it says of a group is what the store's own thread would say; when it dies, nobody waits for
// ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createAuditChain } from '../../src/audit/chain.ts';
import { findAuditHead } from '../../src/store/audit-events.ts';
import type { Group, PlainSet } from '../../src/store/group-writer.ts';
import { findMeta, writeMeta } from '../../src/store/meta.ts';
import { startWriter, type Writer } from '../../src/store/writer.ts';
import { event, openTestStore } from './test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const { store } = test;
const instance = 'thread';
const ended: string[] = [];
const at = new Date('2026-05-01T12:00:00Z');

async function start(): Promise<{ readonly writer: Writer; readonly thread: Worker }> {
  const started = once(process, 'worker');
  const keys = createAuditChain({ key: test.key }).keys;
  const writer = startWriter({ file: test.file, instance, keys, onEnded: (reason) => void ended.push(reason) });
  const [thread] = await started;
  await once(thread, 'message');
  return { writer, thread };
}

function setOf(key: string, value: string, rows?: number): PlainSet {
  const { sql, parameters } = writeMeta(key, value);
  return { operations: [[sql, parameters, rows]], events: [event()] };
}

describe('the writer thread', async () => {
  const { writer } = await start();
  after(() => writer.close());

  it('writes a group and says where the chain stands', async () => {
    const result = await writer.write({ sets: [setOf('a', '1', 1), setOf('b', '2')], at });
    assert.deepEqual([result.kind, result.kind === 'written' && result.head.sequence], ['written', 2]);
    assert.equal(findMeta(store, 'b'), '2');
    assert.equal(findAuditHead(store, instance)?.sequence, 2);
  });

  it('names the operation that changed another number of rows, and writes the rest', async () => {
    const result = await writer.write({ sets: [setOf('c', '1'), setOf('d', '2', 5), setOf('e', '3')], at });
    assert.deepEqual(result.kind === 'written' && result.failures, [{ kind: 'rows', set: 1, operation: 0 }]);
    assert.deepEqual([findMeta(store, 'c'), findMeta(store, 'd'), findMeta(store, 'e')], ['1', undefined, '3']);
  });

  it('names a statement that was refused', async () => {
    const refused: PlainSet = { operations: [['insert into meta values (?, ?)', ['a', 'x'], undefined]], events: [] };
    const result = await writer.write({ sets: [refused, setOf('f', '1')], at });
    const [failure] = result.kind === 'written' ? result.failures : [];
    assert.deepEqual(
      [failure?.kind, failure?.set, failure?.kind === 'refused' && failure.code],
      ['refused', 0, 'unique'],
    );
  });

  it('writes the log back between two groups', async () => {
    writer.checkpoint();
    assert.equal((await writer.write({ sets: [setOf('g', '1')], at })).kind, 'written');
  });
});

describe('a writer thread that dies', () => {
  it('is an outage for the group under way, and another one takes over', async () => {
    const { writer, thread } = await start();
    after(() => writer.close());
    const successor = once(process, 'worker');
    const write = writer.write({ sets: [setOf('h', '1')], at } satisfies Group);
    void thread.terminate();
    const result = await write;
    // The thread may have been faster than its end.
    if (result.kind === 'outage') assert.match(result.message, /the writer thread ended/);
    assert.equal(ended.length, 1);
    const [next] = await successor;
    await once(next, 'message');
    assert.equal(writer.isReady(), true);
    assert.equal((await writer.write({ sets: [setOf('i', '1')], at })).kind, 'written');
  });

  it('that cannot start is not ready, and is not started for ever', async () => {
    const keys = createAuditChain({ key: test.key }).keys;
    const reason = new Promise((resolve) => {
      startWriter({ file: `${test.directory}/missing/core.db`, instance, keys, onEnded: resolve });
    });
    assert.match(String(await reason), /the writer thread failed: cannot open the database/);
  });
});
