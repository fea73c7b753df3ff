import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { runCommand } from './faults/support/command.ts';
import { emptyDirectory, processOf, type Stack, startStack } from './support/stack.ts';

type Directory = { readonly newOrder: string; readonly meta: { readonly caaIdentities: readonly string[] } };

/** Asks as a client that knows the root of the CA and nothing else. */
async function readDirectory({ directory, endpoints }: Stack): Promise<Directory> {
  const ca = readFileSync(join(directory, endpoints.trustAnchor));
  const [response] = await once(get(endpoints.acme.directory, { ca }), 'response');
  return JSON.parse(await text(response));
}

type Listed = {
  readonly name: string;
  readonly site: string;
  readonly address: string;
  readonly keys: readonly { readonly keyId: string; readonly state?: string }[];
};

async function listPerspectives(directory: string): Promise<readonly Listed[]> {
  const { output } = await runCommand(['perspective', 'list', '--json', '--data', directory]);
  return JSON.parse(output);
}

describe('gatehouse up --only acme', () => {
  const hooks: (() => void)[] = [];
  let stack: Stack;
  before(async () => {
    stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }), ['--only', 'acme']);
  });
  after(async () => {
    stack.command.kill('SIGKILL');
    await stack.command.ended;
    for (const hook of hooks) hook();
  });

  test('starts the ACME gate, and two perspectives with it', async () => {
    assert.deepEqual(Object.keys(stack.endpoints), ['trustAnchor', 'chain', 'core', 'acme']);
    const listed = await listPerspectives(stack.directory);
    assert.deepEqual(
      listed.map(({ name, site }) => [name, site]),
      [
        ['here-a', 'here-a'],
        ['here-b', 'here-b'],
      ],
    );
    for (const { name, address, keys } of listed) {
      assert.equal(address, processOf(stack.directory, `perspective-${name}`).address);
      assert.equal(keys.length, 1);
      assert.ok(existsSync(join(stack.directory, `log/perspective-${name}.log`)));
    }
  });

  test('gives a directory whose URLs begin where it is', async () => {
    const { newOrder, meta } = await readDirectory(stack);
    assert.ok(newOrder.startsWith(stack.endpoints.acme.directory.replace(/directory$/, '')));
    assert.deepEqual(meta.caaIdentities, ['gatehouse.test']);
  });

  test('prints a command for certbot, with the real address', async () => {
    await stack.command.line(new RegExp(`--server ${stack.endpoints.acme.directory}`));
  });

  test('is found at the same URL at the next start, with the same keys of statements', async () => {
    const [directory, listed] = [stack.endpoints.acme.directory, await listPerspectives(stack.directory)];
    assert.equal((await stack.interrupt()).exitCode, 0);
    stack = await startStack(stack.directory, ['--only', 'acme']);
    assert.equal(stack.command.count(/ …$/), 0, 'nothing is made');
    assert.equal(stack.endpoints.acme.directory, directory);
    const keysOf = (list: readonly Listed[]) => list.map(({ keys }) => keys.map(({ keyId }) => keyId));
    assert.deepEqual(keysOf(await listPerspectives(stack.directory)), keysOf(listed));
  });

  test('starts also in a directory that was made before there was one', async () => {
    assert.equal((await stack.interrupt()).exitCode, 0);
    const file = join(stack.directory, 'gatehouse.yaml');
    const whole = readFileSync(file, 'utf8');
    const before = whole
      .replace(/^# The ACME gate[\s\S]*(?=^# The status gate)/m, '')
      .replace(/^ {2}validation:\n(?: {4}.*\n)+/m, '');
    assert.doesNotMatch(before, /acme|perspective/);
    writeFileSync(file, before);
    stack = await startStack(stack.directory, ['--only', 'acme']);
    assert.deepEqual((await readDirectory(stack)).meta.caaIdentities, ['gatehouse.test']);
  });
});
