// Whoever edits, deletes, moves or cuts off records, or touches the heads and the seals, is found, and the first broken
// record is named.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CompiledQuery } from 'kysely';
import type { AuditBreak } from '../../src/audit/break.ts';
import { createAuditChain } from '../../src/audit/chain.ts';
import { type AuditSeals, openAuditSeals } from '../../src/audit/seal.ts';
import { type AuditVerification, verifyAudit } from '../../src/audit/verify.ts';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import { event, eventSet, openTestStore, type TestStore } from '../store/test-store.ts';

const total = 600;
let test: TestStore;
let seals: AuditSeals;

// A log of 600 records with seals at 0, 200, 400 and 600, more than one page long.
beforeEach(async () => {
  test = await openTestStore('in memory');
  seals = await openAuditSeals({ ...test, file: test.sealsFile, intervalMs: 3_600_000 });
  for (let part = 0; part < 3; part++) {
    const events = Array.from({ length: 200 }, (_, i) => event({ serialNumber: `${part}${i}`, body: { i } }));
    await test.store.commit({ operations: [], events });
    await seals.seal();
  }
});

afterEach(async () => {
  await seals.close();
  await test.remove();
});

function verify(): Promise<AuditVerification> {
  return verifyAudit(test.store, test.key, test.sealsFile);
}

/** What somebody does to the database who cannot use the core. */
async function run(sql: string, ...parameters: (string | number | bigint | Uint8Array | null)[]): Promise<void> {
  const { numAffectedRows } = await test.store.kysely.executeQuery(CompiledQuery.raw(sql, parameters));
  assert.ok(Number(numAffectedRows) > 0, 'the test must change something');
}

async function assertBreak(expected: Partial<AuditBreak>, held: number): Promise<void> {
  const { firstBreak, records } = await verify();
  assert.ok(firstBreak, 'nothing was found');
  assert.deepEqual({ kind: firstBreak.kind, sequence: firstBreak.sequence, records }, { ...expected, records: held });
  assert.equal(firstBreak.instance, test.store.instance.id);
  assert.notEqual(firstBreak.detail, '');
}

describe('an audit log that nobody touched', () => {
  it('holds, with all its records and seals', async () => {
    assert.deepEqual(await verify(), { records: total, seals: 4, firstBreak: undefined });
  });

  it('holds while more is written', async () => {
    const [verification] = await Promise.all([
      verify(),
      ...Array.from({ length: 300 }, () => test.store.commit(eventSet())),
    ]);
    assert.equal(verification.firstBreak, undefined);
    assert.equal((await verify()).records, total + 300);
  });

  it('does not hold by another key', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    assert.notEqual((await verifyAudit(test.store, privateKey, test.sealsFile)).firstBreak, undefined);
  });

  it('holds when it is empty', async () => {
    const empty = await openTestStore('in memory');
    assert.deepEqual(await verifyAudit(empty.store, empty.key, empty.sealsFile), {
      records: 0,
      seals: 0,
      firstBreak: undefined,
    });
    await empty.remove();
  });
});

describe('edited records', () => {
  const edits: Record<string, string | number | Uint8Array | null> = {
    at: 1,
    actor: 'spiffe://gatehouse.internal/ra/other',
    action: 'self-test',
    registration_authority: 'other',
    requester: '',
    profile: 'sub-ca',
    serial_number: null,
    outcome: 'internal',
    body: '{"i":7}',
    mac: new Uint8Array(32),
  };
  for (const [column, value] of Object.entries(edits)) {
    it(`are found by their ${column}`, async () => {
      await run(`UPDATE audit_events SET ${column} = ? WHERE sequence = 300`, value);
      await assertBreak({ kind: 'altered', sequence: 300 }, 299);
    });
  }

  for (const sequence of [1, 256, 257, total]) {
    it(`are found at ${sequence} of ${total}`, async () => {
      await run("UPDATE audit_events SET actor = 'x' WHERE sequence = ?", sequence);
      await assertBreak({ kind: 'altered', sequence }, sequence - 1);
    });
  }

  it('are named from the first on', async () => {
    await run("UPDATE audit_events SET actor = 'x' WHERE sequence IN (450, 77, 300)");
    await assertBreak({ kind: 'altered', sequence: 77 }, 76);
  });

  it('are found when a value cannot even be read', async () => {
    await run('UPDATE audit_events SET at = 9223372036854775807 WHERE sequence = 300');
    await assertBreak({ kind: 'altered', sequence: 300 }, 299);
  });
});

describe('deleted records', () => {
  for (const [first, last] of [
    [1, 1],
    [300, 300],
    [256, 512],
  ] as const) {
    it(`are found: ${first} to ${last}`, async () => {
      await run('DELETE FROM audit_events WHERE sequence BETWEEN ? AND ?', first, last);
      await assertBreak({ kind: 'missing', sequence: first }, first - 1);
    });
  }

  it('are found when the others close ranks', async () => {
    await run('DELETE FROM audit_events WHERE sequence = 300');
    for (let sequence = 301; sequence <= total; sequence++) {
      await run('UPDATE audit_events SET sequence = ? WHERE sequence = ?', sequence - 1, sequence);
    }
    const { firstBreak } = await verify();
    assert.deepEqual([firstBreak?.kind, firstBreak?.sequence], ['altered', 300]);
  });
});

describe('records in another order', () => {
  it('are found', async () => {
    await run('UPDATE audit_events SET sequence = -1 WHERE sequence = 300');
    await run('UPDATE audit_events SET sequence = 300 WHERE sequence = 420');
    await run('UPDATE audit_events SET sequence = 420 WHERE sequence = -1');
    await assertBreak({ kind: 'reordered', sequence: 300 }, 299);
  });

  it('are found across instances', async () => {
    await run("UPDATE audit_events SET instance = 'zz' WHERE sequence = 300");
    await assertBreak({ kind: 'missing', sequence: 300 }, 299);
  });
});

describe('a log that was cut off', () => {
  it('is found by its head', async () => {
    await test.store.commit(eventSet());
    await run('DELETE FROM audit_events WHERE sequence > ?', total);
    await assertBreak({ kind: 'truncated', sequence: total + 1 }, total);
  });

  it('is found by its seal when the head is put back to what it was', async () => {
    // Somebody kept a copy of the whole database and puts it in place of the present one.
    const { mac, authenticator } = oldHead(400);
    await run('DELETE FROM audit_events WHERE sequence > 400');
    await run('UPDATE audit_heads SET sequence = 400, mac = ?, authenticator = ?', mac, authenticator);
    await assertBreak({ kind: 'truncated', sequence: 401 }, 400);
  });

  it('is found when nothing at all is left', async () => {
    await run('DELETE FROM audit_events');
    await run('DELETE FROM audit_heads');
    await assertBreak({ kind: 'truncated', sequence: 1 }, 0);
  });

  it('is found when the core went on from there', async () => {
    const { mac, authenticator } = oldHead(500);
    await run('DELETE FROM audit_events WHERE sequence > 500');
    await run('UPDATE audit_heads SET sequence = 500, mac = ?, authenticator = ?', mac, authenticator);
    for (let i = 0; i < 200; i++) await test.store.commit(eventSet());
    await seals.seal();
    await assertBreak({ kind: 'seal', sequence: 600 }, 599);
  });

  it('is told at the next start', async () => {
    const { mac, authenticator } = oldHead(500);
    await run('DELETE FROM audit_events WHERE sequence > 500');
    await run('UPDATE audit_heads SET sequence = 500, mac = ?, authenticator = ?', mac, authenticator);
    await seals.close();
    seals = await openAuditSeals({ ...test, file: test.sealsFile });
    assert.match(seals.problem() ?? '', /record 600 .* is missing/);
    assert.ok(test.logged.some((line) => line.includes('does not fit its last seal')));
  });
});

/** The head as it was after that many records: what an old copy of the database holds. */
function oldHead(sequence: number): { readonly mac: Uint8Array; readonly authenticator: Uint8Array } {
  const [record] = readAuditRecords(test.store, test.store.instance.id, sequence - 1, 1);
  assert.ok(record);
  const head = { instance: record.instance, sequence, mac: record.mac };
  return { mac: head.mac, authenticator: createAuditChain({ key: test.key }).authenticateHead(head) };
}

describe('the head of a chain', () => {
  it('that is gone is found', async () => {
    await run('DELETE FROM audit_heads');
    await assertBreak({ kind: 'altered', sequence: total }, total);
  });

  it('that points elsewhere is found', async () => {
    await run('UPDATE audit_heads SET sequence = 599');
    await assertBreak({ kind: 'altered', sequence: total }, total);
  });

  it('with the MAC of another record is found', async () => {
    await run('UPDATE audit_heads SET mac = ?', oldHead(599).mac);
    await assertBreak({ kind: 'altered', sequence: total }, total);
  });

  it('that the core did not write is found', async () => {
    await run('UPDATE audit_heads SET authenticator = ?', oldHead(599).authenticator);
    await assertBreak({ kind: 'altered', sequence: total }, total);
  });
});

describe('seals', () => {
  function editLines(edit: (lines: string[]) => readonly string[]): void {
    const lines = readFileSync(test.sealsFile, 'utf8').trimEnd().split('\n');
    writeFileSync(
      test.sealsFile,
      edit(lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  it('that were edited are found', async () => {
    editLines((lines) => lines.map((line) => line.replace('"sequence":400', '"sequence":401')));
    await assertBreak({ kind: 'seal', sequence: 200 }, total);
  });

  it('that were deleted from the middle are found', async () => {
    editLines((lines) => lines.toSpliced(1, 1));
    await assertBreak({ kind: 'seal', sequence: 400 }, total);
  });

  it('that were deleted from the start are found', async () => {
    editLines((lines) => lines.slice(1));
    await assertBreak({ kind: 'seal', sequence: 200 }, total);
  });

  it('of which not even the first can be read are found', async () => {
    writeFileSync(test.sealsFile, 'x\n');
    await assertBreak({ kind: 'seal', sequence: 0 }, total);
  });

  it('that are gone altogether are found', async () => {
    rmSync(test.sealsFile);
    await assertBreak({ kind: 'seal', sequence: total }, total);
  });

  it('that were moved are found', async () => {
    editLines(([first = '', second = '', ...rest]) => [second, first, ...rest]);
    await assertBreak({ kind: 'seal', sequence: 200 }, total);
  });

  it('by another key are found', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const foreign = await openAuditSeals({ ...test, file: `${test.sealsFile}.foreign`, key: privateKey });
    await foreign.close();
    const [line = ''] = readFileSync(`${test.sealsFile}.foreign`, 'utf8').split('\n');
    editLines((lines) => [...lines, line]);
    await assertBreak({ kind: 'seal', sequence: 600 }, total);
  });

  it('that are no JSON, or far too long, are found', async () => {
    for (const line of ['{}', 'x', '', `"${'x'.repeat(100_000)}"`]) {
      editLines((lines) => [...lines, line]);
      await assertBreak({ kind: 'seal', sequence: 600 }, total);
    }
  });

  it('of which a crash left a part are no break', async () => {
    writeFileSync(test.sealsFile, `${readFileSync(test.sealsFile, 'utf8')}{"at":"2026-`);
    assert.equal((await verify()).firstBreak, undefined);
  });
});
