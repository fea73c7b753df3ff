import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startStack } from '../support/stack.ts';
import { connectOperator } from './support/bridge.ts';
import { startCommand } from './support/command.ts';
import { createEstClient } from './support/est-client.ts';
import { killNow } from './support/processes.ts';
import { newRequest } from './support/requests.ts';

/** What a first start says before each of its steps; it is killed at each. */
const steps = [/^making the keys /, /^making the database /, /^making the configuration /, /^registering the RA /];

describe('a first start that is killed', () => {
  test(`is finished by the next one, whichever of its ${steps.length} steps it was in`, async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-interrupted-'));
    context.after(() => rmSync(directory, { recursive: true, force: true }));
    for (const step of steps) {
      const command = startCommand(['up', '--data', directory, '--ports', 'auto']);
      await command.line(step);
      await killNow(command);
    }
    const stack = await startStack(directory);
    context.after(() => killNow(stack.command));
    const client = createEstClient(directory, Number(new URL(stack.endpoints.est.url).port));
    context.after(() => client.close());
    assert.equal((await client.enroll(newRequest())).status, 200);
    const operator = connectOperator(directory, stack.endpoints.core.address);
    context.after(() => operator.close(0));
    assert.equal((await operator.administration.verifyAudit()).firstBreak, undefined);
    assert.equal((await stack.interrupt()).exitCode, 0);
  });
});
