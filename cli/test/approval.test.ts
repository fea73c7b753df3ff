import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CoreClient } from '@gatehouse/ra-client/client';
import type { CoreError } from '@gatehouse/ra-client/core-error';
import { connectAs } from './faults/support/bridge.ts';
import { type Ended, runCommand } from './faults/support/command.ts';
import { type Listening, startCore, stop } from './faults/support/processes.ts';
import { newRequest } from './faults/support/requests.ts';
import { emptyDirectory } from './support/stack.ts';

/** A profile that a person has to agree to. */
const profile = `name: printer
description: Printers
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: drop }
names: { allowed: [dns], atLeastOne: true, wildcards: false }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
validity: { default: 90d, maximum: 200d }
approval: required
lints: { sets: [rfc5280], refuseAt: error }
`;

describe('an enrollment that needs a person', () => {
  const hooks: (() => void)[] = [];
  let directory: string;
  let core: Listening;
  let gate: CoreClient;

  function run(...args: readonly string[]): Promise<Ended> {
    return runCommand([...args, '--data', directory]);
  }

  before(async () => {
    directory = emptyDirectory({ after: (hook) => hooks.push(hook) });
    await run('init');
    writeFileSync(join(directory, 'profiles/printer.yaml'), profile);
    core = await startCore(directory);
    const added = await run('ra', 'add', 'office', '--profiles', 'printer', '--dns', 'example.com');
    const joined = await run('ra', 'join', '--token', added.output.trim());
    assert.equal(joined.exitCode, 0, joined.errors);
    gate = connectAs(directory, 'ra/office/credential.pem', core.address);
  });

  after(async () => {
    await gate.close(0);
    await stop(core.command);
    for (const hook of hooks) hook();
  });

  async function request(idempotencyKey: string): Promise<string> {
    const outcome = await gate.enroll({
      idempotencyKey,
      profile: 'printer',
      subjectKey: { kind: 'certification-request', der: newRequest() },
      requester: { kind: 'user', id: 'printer7' },
    });
    assert.equal(outcome.kind, 'pending');
    return outcome.requestId;
  }

  test('is listed until it is approved; then the client gets its certificate', async () => {
    const requestId = await request('approval-1');
    const [waiting] = JSON.parse((await run('enrollment', 'list', '--json')).output);
    assert.deepEqual([waiting.requestId, waiting.requester], [requestId, 'user:printer7']);
    assert.match(
      (await run('enrollment', 'list')).output,
      new RegExp(`^${requestId} .* printer +office +user:printer7`, 'm'),
    );

    const { exitCode, output } = await run('enrollment', 'approve', requestId, '--reason', 'ticket 4711', '--json');
    assert.equal(exitCode, 0);
    const issued = await gate.getEnrollment(requestId);
    assert.equal(issued.kind, 'issued');
    assert.deepEqual(JSON.parse(output), { requestId, outcome: 'issued', serialNumber: issued.serialNumber });
    assert.deepEqual(JSON.parse((await run('enrollment', 'list', '--json')).output), []);
  });

  test('that is rejected tells the client why', async () => {
    const requestId = await request('approval-2');
    const { exitCode, output } = await run('enrollment', 'reject', requestId, '--reason', 'unknown device');
    assert.equal(exitCode, 0);
    assert.match(output, /^rejected /);
    await assert.rejects(gate.getEnrollment(requestId), (error: CoreError) => {
      assert.equal(error.code, 'profile-refuses');
      assert.match(error.detail, /unknown device/);
      return true;
    });
    assert.equal((await run('enrollment', 'approve', requestId)).exitCode, 1);
  });
});
