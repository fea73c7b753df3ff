import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { connectAs, connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import { newDataDirectory } from './support/data-directory.ts';
import { newSentRequest, send } from './support/enrollment-load.ts';
import { assertRecordedOnce, readLedger } from './support/ledger.ts';
import { limitedDisk } from './support/limited-disk.ts';
import { assertRefused, killNow, startCore, startCoreInVain, stop } from './support/processes.ts';
import { until } from './support/until.ts';

/** Keeps free what the core demands by default would leave nothing to test with. */
const set = ['core.database.reserveMegabytes=1'];

/** Octets: with none, with some for the index of the write-ahead log, with enough for it but not for the first record. */
const roomAtStart = [0, 8_192, 40_960];

type Received = { readonly serialNumber: string; readonly der: Uint8Array };

async function enroll(core: CoreClient): Promise<Received> {
  const { serialNumber, certificate } = await send(core, newSentRequest());
  return { serialNumber, der: certificate };
}

/** Enrolls until the core cannot. */
async function enrollUntilRefused(core: CoreClient, received: Received[]): Promise<CoreError> {
  for (;;) {
    try {
      received.push(await enroll(core));
    } catch (error) {
      assert.ok(error instanceof CoreError, String(error));
      return error;
    }
  }
}

async function readiness(management: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://${management}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

describe('the disk runs full', () => {
  test('under a running core: it refuses, says why, and goes on by itself when there is room', async (context) => {
    const disk = limitedDisk(context);
    const directory = await newDataDirectory(context, disk.directory);
    const { command, address, management } = await startCore(directory, 0, set);
    context.after(() => killNow(command));
    const credential = await joinRegistrationAuthority(directory, 'load', address);
    const gate = connectAs(directory, credential, address, 0);
    const operator = connectOperator(directory, address);
    context.after(() => Promise.all([gate.close(0), operator.close(0)]));
    const received = [await enroll(gate)];
    await until('the core is ready', async () => (await readiness(management)).status === 200);

    disk.fill({ pid: command.pid });
    const refusal = await enrollUntilRefused(gate, received);
    assert.equal(refusal.code, 'unavailable');
    assert.ok((refusal.retryAfterSeconds ?? 0) > 0);
    assert.match(await command.line(/cannot write: /), disk.failure);
    assert.equal(command.count(/cannot write: /), 1, 'one line for one outage');
    const red = await readiness(management);
    assert.equal(red.status, 503);
    assert.match(red.text, disk.failure);
    // What is on record can be read all the same.
    for (const { serialNumber } of received) await gate.getCertificate({ serialNumber });

    disk.free(command.pid);
    await until('the core is ready again', async () => (await readiness(management)).status === 200);
    received.push(await enroll(gate));
    const ledger = await readLedger(operator, 'load');
    assertRecordedOnce(ledger, received);
    assert.equal(ledger.certificates.size, received.length);
    await stop(command);
    context.diagnostic(`${received.length} certificates; the disk was full after ${received.length - 1}`);
  });

  test('before a start: the core refuses with one message, and starts when there is room', async (context) => {
    const disk = limitedDisk(context);
    const directory = await newDataDirectory(context, disk.directory);
    const first = await startCore(directory, 0, set);
    context.after(() => killNow(first.command));
    const credential = await joinRegistrationAuthority(directory, 'load', first.address);
    const firstGate = connectAs(directory, credential, first.address, 0);
    context.after(() => firstGate.close(0));
    const received = [await enroll(firstGate)];
    await stop(first.command);

    for (const leaves of roomAtStart) {
      disk.fill({ leaves });
      assertRefused(await startCoreInVain(directory, set, disk.whileFull), disk.failure, disk.advice);
      disk.free();
    }

    const second = await startCore(directory, 0, set);
    context.after(() => killNow(second.command));
    const gate = connectAs(directory, credential, second.address, 0);
    const operator = connectOperator(directory, second.address);
    context.after(() => Promise.all([gate.close(0), operator.close(0)]));
    received.push(await enroll(gate));
    assertRecordedOnce(await readLedger(operator, 'load'), received);
  });

  test('and the core is killed meanwhile: nothing that a client received is lost', async (context) => {
    const disk = limitedDisk(context);
    const directory = await newDataDirectory(context, disk.directory);
    const first = await startCore(directory, 0, set);
    context.after(() => killNow(first.command));
    const credential = await joinRegistrationAuthority(directory, 'load', first.address);
    const firstGate = connectAs(directory, credential, first.address, 0);
    context.after(() => firstGate.close(0));
    const received = [await enroll(firstGate)];
    disk.fill({ pid: first.command.pid });
    await enrollUntilRefused(firstGate, received);
    await killNow(first.command);
    disk.free();

    const second = await startCore(directory, 0, set);
    context.after(() => killNow(second.command));
    const operator = connectOperator(directory, second.address);
    context.after(() => operator.close(0));
    assertRecordedOnce(await readLedger(operator, 'load'), received);
  });
});
