import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { processOf, startStack } from '../support/stack.ts';
import { connectAs, connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import type { RunningCommand } from './support/command.ts';
import { freePort, newDataDirectory } from './support/data-directory.ts';
import { assertSame, startLoad, untilAnswered } from './support/enrollment-load.ts';
import { createEstClient } from './support/est-client.ts';
import { startEstLoad } from './support/est-load.ts';
import { assertRecordedOnce, readLedger } from './support/ledger.ts';
import { killNow, startCore, startEst } from './support/processes.ts';
import { newRequest } from './support/requests.ts';

const kills = 20;
/** After how many answers the next kill comes: from the first call on a new connection to the middle of full groups. */
const answersBetweenKills = [1, 2, 5, 13, 34, 55, 89, 144, 233, 377];

describe('the core is killed under load', () => {
  test(`records every certificate that a client received exactly once, over ${kills} kills`, async (context) => {
    const directory = await newDataDirectory(context);
    const port = await freePort();
    let core = await startCore(directory, port);
    context.after(() => killNow(core.command));
    const credential = await joinRegistrationAuthority(directory, 'load', core.address);
    const connections = Array.from({ length: 3 }, () => connectAs(directory, credential, core.address));
    context.after(() => Promise.all(connections.map((connection) => connection.close(0))));

    const load = startLoad(connections);
    for (let kill = 0; kill < kills; kill++) {
      await load.receive(answersBetweenKills[kill % answersBetweenKills.length] ?? 1);
      await killNow(core.command);
      core = await startCore(directory, port);
    }
    await load.finish();

    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const ledger = await readLedger(operator, 'load');
    const received = load.certificates();
    assert.equal(received.length, load.sent.length);
    assertRecordedOnce(ledger, received);
    // A request whose answer was lost with the core, and that was then sent again, must not have yielded two.
    assert.equal(ledger.certificates.size, load.sent.length);

    const [connection] = connections;
    assert.ok(connection !== undefined);
    await Promise.all(load.sent.map(async (request) => assertSame(request, await untilAnswered(connection, request))));
    assert.equal((await readLedger(operator, 'load')).certificates.size, load.sent.length);
    context.diagnostic(
      `${received.length} certificates over ${kills} kills; ${load.repetitions()} requests were sent again; ${ledger.records} audit records`,
    );
  });
});

describe('the gate is killed under load', () => {
  test('yields one certificate for each request, over 5 kills', async (context) => {
    const directory = await newDataDirectory(context);
    const port = await freePort();
    const core = await startCore(directory);
    context.after(() => killNow(core.command));
    await joinRegistrationAuthority(directory, 'est', core.address);
    const start = async (): Promise<RunningCommand> => {
      const started = startEst(directory, core.address, port);
      await started.line(/"msg":"ready"/);
      return started;
    };
    let starting = start();
    let gate = await starting;
    context.after(() => killNow(gate));

    const load = startEstLoad({ directory, port, clients: 4, reachable: () => starting });
    for (let kill = 0; kill < 5; kill++) {
      await load.answered(200, 10);
      const dying = gate;
      starting = killNow(dying).then(start);
      gate = await starting;
    }
    await load.answered(200, 10);
    const { received, refusals, failures } = await load.finish();

    assert.deepEqual(refusals, []);
    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const ledger = await readLedger(operator, 'est');
    assertRecordedOnce(ledger, received);
    assert.equal(ledger.certificates.size, received.length);
    context.diagnostic(`${received.length} certificates, ${failures} broken connections`);
  });
});

describe('a process of `gatehouse up` is killed', () => {
  test('is started again where it was, and the others go on', async (context) => {
    const directory = await newDataDirectory(context);
    const stack = await startStack(directory);
    context.after(() => killNow(stack.command));
    const client = createEstClient(directory, Number(new URL(stack.endpoints.est.url).port));
    context.after(() => client.close());
    assert.equal((await client.enroll(newRequest())).status, 200);

    process.kill(processOf(directory, 'core').pid, 'SIGKILL');
    await stack.command.line(/^core: it was killed by SIGKILL; it is started again/);
    await stack.command.line(/^core: it is back$/);
    assert.equal((await client.enroll(newRequest())).status, 200);
    assert.equal(`${processOf(directory, 'core').address}`, stack.endpoints.core.address);

    process.kill(processOf(directory, 'est').pid, 'SIGKILL');
    await stack.command.line(/^est: it is back$/);
    assert.equal((await client.enroll(newRequest())).status, 200);

    const operator = connectOperator(directory, stack.endpoints.core.address);
    context.after(() => operator.close(0));
    const { certificates } = await readLedger(operator, 'est');
    assert.equal(certificates.size, 3);
    assert.equal((await stack.interrupt()).exitCode, 0);
  });
});
