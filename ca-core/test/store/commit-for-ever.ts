// Commits issuances as fast as it can, notes what was answered, and kills itself in the midst of it. Started by
// crash.test.ts.
import { createPrivateKey } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createAuditChain } from '../../src/audit/chain.ts';
import { openAuditSeals } from '../../src/audit/seal.ts';
import { openStore } from '../../src/store/open-store.ts';
import { certificate, issuance, request } from './test-store.ts';

const [directory = '', answers = ''] = process.argv.slice(2);
const answered = openSync(join(directory, 'answered'), 'a');
let remaining = Number(answers);
const key = createPrivateKey(process.env.AUDIT_KEY ?? '');
const log = createLog({ name: 'test', level: 'error' });
const clock = systemClock;
const store = await openStore({ file: join(directory, 'core.db'), audit: createAuditChain({ key }), clock, log });
await openAuditSeals({ file: join(directory, 'seals.jsonl'), key, store, clock, log, intervalMs: 20 });

async function commitForEver(): Promise<never> {
  for (;;) {
    const [issued, asked] = [certificate(), request()];
    await store.commit(issuance(issued, asked));
    // Synchronous: what is noted is what a client has received when the process dies.
    writeSync(answered, `${issued.serialNumber} ${asked.idempotencyKey}\n`);
    remaining -= 1;
    // The writer thread is in the midst of a transaction of the others.
    if (remaining === 0) process.kill(process.pid, 'SIGKILL');
  }
}

await Promise.all(Array.from({ length: 16 }, commitForEver));
