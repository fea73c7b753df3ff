import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import { freePort, newDataDirectory } from './support/data-directory.ts';
import { createEstClient } from './support/est-client.ts';
import { startEstLoad } from './support/est-load.ts';
import { assertRecordedOnce, readLedger } from './support/ledger.ts';
import { killNow, startCore, startEst, stop } from './support/processes.ts';
import { newRequest } from './support/requests.ts';

const clients = 4;
const outages = 2;

/** Status and text of the gate's /readyz. */
async function readiness(directory: string): Promise<string> {
  const { management } = JSON.parse(readFileSync(join(directory, 'run/est.json'), 'utf8'));
  const answer = await fetch(`http://${management}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

describe('the core is away while the EST gate runs', () => {
  test('answers 503 with Retry-After, and 200 again when the core is back', async (context) => {
    const directory = await newDataDirectory(context);
    const [corePort, estPort] = [await freePort(), await freePort()];
    let core = await startCore(directory, corePort);
    context.after(() => killNow(core.command));
    await joinRegistrationAuthority(directory, 'est', core.address);
    const gate = startEst(directory, core.address, estPort);
    context.after(() => killNow(gate));
    await gate.line(/"msg":"ready"/);

    const reachable = () => Promise.reject(new Error('the gate closed a connection'));
    const load = startEstLoad({ directory, port: estPort, clients, reachable });
    for (let outage = 0; outage < outages; outage++) {
      await load.answered(200, 20);
      await killNow(core.command);
      await load.answered(503, 1);
      assert.match(await readiness(directory), /^503 .*no CA core can be reached/);
      core = await startCore(directory, corePort);
    }
    await load.answered(200, 20);
    assert.match(await readiness(directory), /^200 /);
    const { received, refusals } = await load.finish();

    for (const { status, retryAfter, body } of refusals) {
      assert.equal(status, 503, body);
      assert.match(retryAfter ?? '', /^[1-9][0-9]*$/);
      assert.equal(body.trim().split('\n').length, 1);
    }
    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const ledger = await readLedger(operator, 'est');
    assertRecordedOnce(ledger, received);
    assert.equal(ledger.certificates.size, received.length);
    await stop(gate);
    context.diagnostic(`${received.length} certificates, ${refusals.length} answers of 503, ${outages} outages`);
  });

  test('starts without the core, and serves as soon as the core is there', async (context) => {
    const directory = await newDataDirectory(context);
    const [corePort, estPort] = [await freePort(), await freePort()];
    const first = await startCore(directory, corePort);
    context.after(() => killNow(first.command));
    await joinRegistrationAuthority(directory, 'est', first.address);
    await stop(first.command);

    const gate = startEst(directory, first.address, estPort);
    context.after(() => killNow(gate));
    await gate.line(/the CA core gives no server certificate yet/);
    const core = await startCore(directory, corePort);
    context.after(() => killNow(core.command));
    await gate.line(/"msg":"ready"/);
    const client = createEstClient(directory, estPort);
    context.after(() => client.close());
    assert.equal((await client.enroll(newRequest())).status, 200);
  });
});
