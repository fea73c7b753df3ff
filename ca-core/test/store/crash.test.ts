// kill -9 under load: whatever was answered is there, once, and the chain holds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createAuditChain } from '../../src/audit/chain.ts';
import { readAllAuditRecords } from '../../src/audit/export.ts';
import { openAuditSeals } from '../../src/audit/seal.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { findCertificate } from '../../src/store/certificates.ts';
import { openStore } from '../../src/store/open-store.ts';
import { findRequestByIdempotencyKey } from '../../src/store/requests.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-crash-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const { privateKey } = generateKeyPairSync('ed25519');
const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = createPrivateKey(keyPem);
const rounds = 4;

/** Starts a process that commits as fast as it can and kills itself after so many answers. */
async function killUnderLoad(answers: number): Promise<void> {
  const program = join(import.meta.dirname, 'commit-for-ever.ts');
  const child = spawn(process.execPath, [program, directory, String(answers)], {
    env: { ...process.env, AUDIT_KEY: keyPem },
    stdio: 'inherit',
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
}

function readAnswered(): readonly { serialNumber: string; idempotencyKey: string }[] {
  const lines = readFileSync(join(directory, 'answered'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [serialNumber = '', idempotencyKey = ''] = line.split(' ');
    return { serialNumber, idempotencyKey };
  });
}

describe('issue 2 §7: kill -9 under load', () => {
  it('loses nothing that was answered and records nothing twice', async () => {
    for (let round = 0; round < rounds; round++) await killUnderLoad(100 + round * 150);
    const answered = readAnswered();
    assert.ok(answered.length >= rounds * 100);

    const log = createLog({ name: 'test', level: 'silent' });
    const store = await openStore({
      file: join(directory, 'core.db'),
      audit: createAuditChain({ key }),
      clock: systemClock,
      log,
    });
    const file = join(directory, 'seals.jsonl');
    const seals = await openAuditSeals({ file, key, store, clock: systemClock, log });
    assert.equal(seals.problem(), undefined);
    const events = new Map<string, number>();
    for await (const { serialNumber } of readAllAuditRecords(store)) {
      if (serialNumber !== null) events.set(serialNumber, (events.get(serialNumber) ?? 0) + 1);
    }
    for (const { serialNumber, idempotencyKey } of answered) {
      assert.ok(findCertificate(store, serialNumber));
      assert.equal(findRequestByIdempotencyKey(store, 'est', idempotencyKey)?.serialNumber, serialNumber);
      assert.equal(events.get(serialNumber), 1);
    }
    const stored = await store.kysely
      .selectFrom('certificates')
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    assert.equal(stored.count, events.size);
    const verification = await verifyAudit(store, key, file);
    assert.equal(verification.firstBreak, undefined);
    assert.equal(verification.records, events.size);
    await seals.close();
    await store.close();
  });
});
