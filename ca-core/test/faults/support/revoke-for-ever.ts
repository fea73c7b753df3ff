// A core that issues and revokes as fast as it can, notes what was answered, and kills itself in the midst of it, while CRLs
// are made. Started by published-status.test.ts.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { EnrollResponse } from '@gatehouse/proto/certificate-authority';
import { unary } from '../../support/running-core.ts';
import { changeStatus } from '../../support/status.ts';
import { connectGate, launch, newRequest } from './prepared-core.ts';

const [path = '', setting = '', answers = ''] = process.argv.slice(2);
const revoked = openSync(join(path, 'revoked'), 'a');
let remaining = Number(answers);
const { running } = await launch(path, [setting]);
const gate = connectGate({ path }, running.address);

async function revokeForEver(): Promise<never> {
  for (;;) {
    const { outcome } = await unary<EnrollResponse>((callback) => gate.enroll(newRequest(), callback));
    if (outcome?.$case !== 'issued') throw new Error('not issued');
    const { serialNumber } = outcome.value;
    await changeStatus(gate, serialNumber);
    // Synchronous: what is noted is what a client has received when the process dies.
    writeSync(revoked, `${serialNumber}\n`);
    remaining -= 1;
    if (remaining === 0) process.kill(process.pid, 'SIGKILL');
  }
}

await Promise.all(Array.from({ length: 4 }, revokeForEver));
