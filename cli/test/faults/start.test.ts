import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startStack } from '../support/stack.ts';
import { connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import { clockAt } from './support/clock.ts';
import { type RunningCommand, runCommand } from './support/command.ts';
import { newDataDirectory } from './support/data-directory.ts';
import { createEstClient } from './support/est-client.ts';
import { assertRefused, killNow, startCore, startCoreInVain, startEst, stop } from './support/processes.ts';
import { makeReadOnly } from './support/read-only.ts';
import { newRequest } from './support/requests.ts';

async function takePort(context: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** The directory is as good as before: a core starts on it, and its audit chain holds. */
async function assertStarts(context: TestContext, directory: string): Promise<void> {
  const { command, address } = await startCore(directory);
  context.after(() => killNow(command));
  const operator = connectOperator(directory, address);
  const { firstBreak } = await operator.administration.verifyAudit();
  await operator.close();
  assert.equal(firstBreak, undefined);
  await stop(command);
}

describe('a process that cannot start says why in one message and ends', () => {
  test('the core, with a wrong passphrase', async (context) => {
    const directory = await newDataDirectory(context);
    const file = join(directory, 'secrets/passphrase');
    const passphrase = readFileSync(file);
    writeFileSync(file, 'not the passphrase\n');
    assertRefused(await startCoreInVain(directory), /passphrase.*issuing\.key\.pem/, /passphrase file/);
    writeFileSync(file, passphrase);
    await assertStarts(context, directory);
  });

  test('the core, where its directory is read-only', async (context) => {
    const directory = await newDataDirectory(context);
    const { options, undo } = makeReadOnly(directory);
    const message = new RegExp(`cannot write in ${directory}/run: (the file system is read-only|permission denied)`);
    try {
      assertRefused(await startCoreInVain(directory, [], options), message, /must be writable/);
      const up = await runCommand(['up', '--data', directory, '--ports', 'auto'], options);
      assertRefused(up, message, /must be writable/);
    } finally {
      undo();
    }
    await assertStarts(context, directory);
  });

  test('the core, where the clock of the machine shows a time before the CA begins', async (context) => {
    const directory = await newDataDirectory(context);
    const ended = await startCoreInVain(directory, [], clockAt(-2 * 3_600_000));
    assertRefused(ended, /the clock shows .* before .*root\.pem begins \(notBefore/, /set the clock/);
    await assertStarts(context, directory);
  });

  test('the core, where another one runs on the same directory; that one goes on', async (context) => {
    const directory = await newDataDirectory(context);
    const first = await startCore(directory);
    context.after(() => killNow(first.command));
    const message = new RegExp(`another core is running on ${directory}`);
    assertRefused(await startCoreInVain(directory), message, /stop it first/);
    const up = await runCommand(['up', '--data', directory, '--ports', 'auto']);
    assertRefused(up, new RegExp(`a core is running on ${directory} already, as process ${first.command.pid}`), /stop/);
    const operator = connectOperator(directory, first.address);
    context.after(() => operator.close(0));
    assert.equal((await operator.administration.verifyAudit()).firstBreak, undefined);
    await stop(first.command);
  });

  test('the gate, where a port is taken or others may read its credential', async (context) => {
    const directory = await newDataDirectory(context);
    const port = await takePort(context);
    const core = await startCore(directory);
    context.after(() => killNow(core.command));
    const credential = join(directory, await joinRegistrationAuthority(directory, 'est', core.address));
    const startGate = (set?: readonly string[]): RunningCommand => {
      const gate = startEst(directory, core.address, 0, set);
      context.after(() => killNow(gate));
      return gate;
    };
    for (const setting of ['est.listen.port', 'est.management.port']) {
      const { ended } = startGate([`${setting}=${port}`]);
      assertRefused(await ended, new RegExp(`cannot listen on .*:${port}.* taken`), new RegExp(setting));
    }
    chmodSync(credential, 0o644);
    assertRefused(await startGate().ended, /ra\/est\/credential\.pem .*mode 0644/, /chmod 600/);
    chmodSync(credential, 0o600);
    await startGate().line(/"msg":"ready"/);
  });

  test('`up`, where the port of the core or of a gate is taken; no process stays behind', async (context) => {
    const directory = await newDataDirectory(context);
    const port = await takePort(context);
    for (const setting of ['core.listen.port', 'est.listen.port']) {
      const args = ['up', '--data', directory, '--ports', 'auto', '--set', `${setting}=${port}`];
      const ended = await runCommand(args);
      const words = ended.words.filter((line) => !line.endsWith('…'));
      assertRefused(
        { ...ended, words },
        new RegExp(`listens on 127\\.0\\.0\\.1:${port} \\(${setting}\\)`),
        /--ports auto/,
      );
    }
    const stack = await startStack(directory);
    context.after(() => killNow(stack.command));
    const client = createEstClient(directory, Number(new URL(stack.endpoints.est.url).port));
    context.after(() => client.close());
    assert.equal((await client.enroll(newRequest())).status, 200);
    assert.equal((await stack.interrupt()).exitCode, 0);
  });
});
