import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { isAlive, processOf, startStack } from '../support/stack.ts';
import { connectAs, connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import { startCommand } from './support/command.ts';
import { freePort, newDataDirectory } from './support/data-directory.ts';
import { assertSame, newSentRequest, send, startLoad, untilAnswered } from './support/enrollment-load.ts';
import { certificateIn, createEstClient } from './support/est-client.ts';
import { assertRecordedOnce, readLedger } from './support/ledger.ts';
import { killNow, startCore, startEst, stop, untilGone } from './support/processes.ts';
import { newRequest } from './support/requests.ts';

const stops = 3;
const atOnce = 200;

/** For the process that it is given to, and not for those that it starts. */
const pretendOldNode = `--import=data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })",
)}`;

describe('SIGTERM under load', () => {
  test(`drains the core: over ${stops} stops every request gets its one certificate`, async (context) => {
    const directory = await newDataDirectory(context);
    const port = await freePort();
    let core = await startCore(directory, port);
    context.after(() => killNow(core.command));
    const credential = await joinRegistrationAuthority(directory, 'load', core.address);
    const connections = Array.from({ length: 3 }, () => connectAs(directory, credential, core.address));
    context.after(() => Promise.all(connections.map((connection) => connection.close(0))));

    const load = startLoad(connections);
    for (let count = 0; count < stops; count++) {
      await load.receive(50);
      await stop(core.command);
      core = await startCore(directory, port);
    }
    await load.finish();

    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const ledger = await readLedger(operator, 'load');
    assertRecordedOnce(ledger, load.certificates());
    assert.equal(ledger.certificates.size, load.sent.length);
    const [connection] = connections;
    assert.ok(connection !== undefined);
    for (const request of load.sent) assertSame(request, await untilAnswered(connection, request));
    context.diagnostic(`${load.sent.length} certificates over ${stops} stops`);
  });

  test(`answers the ${atOnce} enrollments that the core has taken, before it ends`, async (context) => {
    const directory = await newDataDirectory(context);
    const first = await startCore(directory);
    context.after(() => killNow(first.command));
    const credential = await joinRegistrationAuthority(directory, 'load', first.address);
    const gate = connectAs(directory, credential, first.address, 0);
    context.after(() => gate.close(0));
    assert.ok(await gate.connect(10_000));
    const requests = Array.from({ length: atOnce }, newSentRequest);
    const underWay = requests.map((request) => send(gate, request));
    const settled = Promise.allSettled(underWay);
    await Promise.any(underWay);
    await stop(first.command);
    const received = (await settled).flatMap((outcome) => {
      if (outcome.status === 'fulfilled') return [{ ...outcome.value, der: outcome.value.certificate }];
      // What came after GOAWAY was not taken.
      assert.ok(outcome.reason instanceof CoreError && outcome.reason.code === 'unavailable', String(outcome.reason));
      return [];
    });

    const second = await startCore(directory);
    context.after(() => killNow(second.command));
    const operator = connectOperator(directory, second.address);
    context.after(() => operator.close(0));
    const ledger = await readLedger(operator, 'load');
    assertRecordedOnce(ledger, received);
    assert.equal(ledger.certificates.size, received.length, 'certificates on record that nobody received');
    context.diagnostic(`${received.length} of ${atOnce} were taken`);
  });

  test('drains the gate: a request that was taken is answered', async (context) => {
    const directory = await newDataDirectory(context);
    const estPort = await freePort();
    const core = await startCore(directory);
    context.after(() => killNow(core.command));
    await joinRegistrationAuthority(directory, 'est', core.address);
    const gate = startEst(directory, core.address, estPort);
    context.after(() => killNow(gate));
    await gate.line(/"msg":"ready"/);

    const clients = Array.from({ length: 6 }, () => createEstClient(directory, estPort));
    context.after(() => {
      for (const client of clients) client.close();
    });
    const first = await Promise.all(clients.map((client) => client.enroll(newRequest())));
    const underWay = clients.map((client) => client.enroll(newRequest()));
    const settled = Promise.allSettled(underWay);
    await Promise.race(underWay);
    await stop(gate);
    // A request that the gate had not read yet finds its connection closed; it was not taken.
    const second = (await settled).flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));

    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const received = [...first, ...second].map((answer) => {
      const der = certificateIn(answer);
      return { serialNumber: readCertificate(der).serialNumber, der };
    });
    const ledger = await readLedger(operator, 'est');
    assertRecordedOnce(ledger, received);
    assert.equal(ledger.certificates.size, received.length, 'certificates on record that nobody received');
    context.diagnostic(`${second.length} of ${clients.length} were taken`);
  });
});

describe('SIGKILL of `gatehouse up`', () => {
  test('leaves no child process behind, and nothing is lost', async (context) => {
    const directory = await newDataDirectory(context);
    const first = await startStack(directory);
    context.after(() => killNow(first.command));
    const client = createEstClient(directory, Number(new URL(first.endpoints.est.url).port));
    context.after(() => client.close());
    const der = certificateIn(await client.enroll(newRequest()));
    const children = ['core', 'est'].map((name) => processOf(directory, name).pid);
    assert.ok(children.every(isAlive));

    await killNow(first.command);
    await Promise.all(children.map(untilGone));

    const second = await startStack(directory);
    context.after(() => killNow(second.command));
    const operator = connectOperator(directory, second.endpoints.core.address);
    context.after(() => operator.close(0));
    const received = [{ serialNumber: readCertificate(der).serialNumber, der }];
    assertRecordedOnce(await readLedger(operator, 'est'), received);
    assert.equal((await second.interrupt()).exitCode, 0);
  });

  test('leaves nothing behind either where an older Node.js had handed over to the right one', async (context) => {
    const directory = await newDataDirectory(context);
    const command = startCommand(['up', '--data', directory, '--ports', 'auto'], { node: [pretendOldNode] });
    context.after(() => killNow(command));
    await command.line(/^ready$/);
    const children = ['core', 'est'].map((name) => processOf(directory, name).pid);
    await killNow(command);
    await Promise.all(children.map(untilGone));
  });
});
