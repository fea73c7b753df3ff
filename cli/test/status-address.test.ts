import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { dataDirectory } from '../src/data-directory.ts';
import { starterConfiguration } from '../src/up/starter-configuration.ts';
import { type StatusAddressOptions, settleStatusAddress } from '../src/up/status-address.ts';
import { emptyDirectory } from './support/stack.ts';

/** A directory with this gatehouse.yaml, for trying out unless told. */
function directoryWith(context: TestContext, configuration: string, isForTryingOut = true): string {
  const directory = emptyDirectory(context);
  writeFileSync(join(directory, 'gatehouse.yaml'), configuration);
  mkdirSync(join(directory, 'secrets'));
  if (isForTryingOut) writeFileSync(join(directory, 'secrets/est-demo-password'), 'x\n', { mode: 0o600 });
  return directory;
}

function settle(directory: string, options: Partial<Omit<StatusAddressOptions, 'data'>> = {}) {
  const data = dataDirectory(directory);
  return settleStatusAddress({ data, isStarted: true, isAutomatic: false, set: [], ...options });
}

/** The last value that a list of `--set` arguments gives. */
function lastValue(set: readonly string[], path: string): string | undefined {
  return set.findLast((assignment) => assignment.startsWith(`${path}=`))?.slice(path.length + 1);
}

const portOf = (set: readonly string[]): number => Number(lastValue(set, 'status.listen.port'));

describe('where certificates find their status', () => {
  test('is the gate as it is configured, in a directory that is made now or was made before', async (context) => {
    const trial = directoryWith(context, starterConfiguration('trial'));
    for (const directory of [emptyDirectory(context), trial]) {
      const { baseUrl, gate } = await settle(directory);
      assert.equal(baseUrl, 'http://127.0.0.1:6960');
      assert.equal(lastValue(gate, 'status.listen.port'), undefined);
    }
  });

  test('is the gate also in a directory for trying out that was made before there was one', async (context) => {
    const { baseUrl, gate } = await settle(directoryWith(context, 'core: { listen: { port: 0 } }\n'));
    assert.equal(baseUrl, 'http://127.0.0.1:6960');
    assert.equal(lastValue(gate, 'status.core.credential'), 'ra/status/credential.pem');
  });

  test('is nowhere where the operator says nothing, or says so', async (context) => {
    for (const directory of [
      directoryWith(context, 'core: { listen: { port: 0 } }\n', false),
      directoryWith(context, starterConfiguration('production'), false),
      directoryWith(context, starterConfiguration('trial').replace(/baseUrl: .*/, 'baseUrl:')),
    ]) {
      assert.equal((await settle(directory)).baseUrl, undefined);
      assert.equal((await settle(directory, { isAutomatic: true })).baseUrl, undefined);
    }
  });

  test('follows the gate to another port that the operator gives it for one start', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const { baseUrl } = await settle(directory, { set: ['status.listen.port=16960'], isAutomatic: true });
    assert.equal(baseUrl, 'http://127.0.0.1:16960');
  });

  test("is never another place than the operator's own", async (context) => {
    const url = 'http://status.example.com';
    const configured = directoryWith(context, starterConfiguration('trial', url));
    assert.equal((await settle(configured, { isAutomatic: true })).baseUrl, url);
    const set = [`core.status.baseUrl=${url}`];
    const { baseUrl, core } = await settle(emptyDirectory(context), { isAutomatic: true, set });
    assert.equal(baseUrl, url);
    assert.equal(lastValue(core, 'core.status.baseUrl'), url);
  });

  test('stays in certificates when the gate is left out, but not where its port would be chosen', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    assert.equal((await settle(directory, { isStarted: false })).baseUrl, 'http://127.0.0.1:6960');
    const automatic = await settle(directory, { isStarted: false, isAutomatic: true });
    assert.equal(automatic.baseUrl, undefined);
    assert.equal(lastValue(automatic.core, 'core.status.baseUrl'), 'null');
  });

  test('is refused with the line where the configuration is not in order', async (context) => {
    await assert.rejects(
      settle(directoryWith(context, 'core: { status: { baseUrl: https://status.example.com } }\n')),
      /gatehouse\.yaml:1:\d+: core\.status\.baseUrl: must be an absolute http/,
    );
  });
});

describe('a port that is chosen', () => {
  test('is below those that systems give to outgoing connections, and stands in the base URL', async (context) => {
    const { baseUrl, gate } = await settle(emptyDirectory(context), { isAutomatic: true });
    const port = portOf(gate);
    assert.ok(port >= 20_000 && port < 32_768, String(port));
    assert.equal(baseUrl, `http://127.0.0.1:${port}`);
  });

  test('is taken again by the next start, as long as it is free', async (context) => {
    const directory = emptyDirectory(context);
    const first = await settle(directory, { isAutomatic: true });
    first.remember();
    const second = await settle(directory, { isAutomatic: true });
    assert.equal(second.baseUrl, first.baseUrl);

    const owner = createServer();
    await new Promise<void>((resolve) => owner.listen(portOf(first.gate), '127.0.0.1', resolve));
    context.after(() => owner.close());
    const third = await settle(directory, { isAutomatic: true });
    assert.notEqual(third.baseUrl, first.baseUrl);
  });

  test('is chosen anew where the file that remembers it is damaged', async (context) => {
    const directory = emptyDirectory(context);
    mkdirSync(join(directory, 'run'));
    writeFileSync(join(directory, 'run/status-port'), 'nonsense');
    assert.ok(portOf((await settle(directory, { isAutomatic: true })).gate) >= 20_000);
  });

  test('is not remembered where nothing can be written: the core says so', async () => {
    const settled = await settle('/dev/null/gatehouse', { isAutomatic: true });
    settled.remember();
  });

  test('is refused with a hint where the address is not one of this machine', async (context) => {
    await assert.rejects(
      settle(emptyDirectory(context), { isAutomatic: true, set: ['status.listen.host=192.0.2.1'] }),
      /no port from 20000 to 32767 is free on 192\.0\.2\.1/,
    );
  });
});
