import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { plainGateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { createPlainGate, type PlainGate } from '@gatehouse/gateway-kit/plain-gate-process';
import { answerLine } from '@gatehouse/gateway-kit/plain-server';
import { saveCredential } from '@gatehouse/ra-client/credential';
import { hour } from '@gatehouse/ra-client/testing/certificate-builder';
import { createServiceAuthority, silentLog, startTestCore } from '@gatehouse/ra-client/testing/test-core';
import { z } from 'zod';
import { connectPlain, get, parseAnswer } from './support/raw-client.ts';

const service = createServiceAuthority();
const schema = z.strictObject(plainGateShape(6960));
type TestGate = PlainGate<z.output<typeof schema>>;

async function withGate(
  address: string,
  body: (gate: TestGate, directory: string) => Promise<void>,
  life: Parameters<typeof service.credential>[1] = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-gate-'));
  const stops: (() => void | Promise<void>)[] = [];
  try {
    saveCredential(join(directory, 'credential.pem'), service.credential('ra/status', life));
    const configuration = schema.parse({
      listen: { port: 0 },
      core: { addresses: [address], credential: 'credential.pem' },
    });
    const gate = await createPlainGate({
      name: 'status',
      configuration,
      directory,
      log: silentLog,
      life: { onShutdown: (_, stop) => void stops.push(stop) },
    });
    await body(gate, directory);
  } finally {
    for (const stop of stops.reverse()) await stop();
    assert.equal(existsSync(join(directory, 'run/status.json')), false);
    rmSync(directory, { recursive: true });
  }
}

async function readiness(directory: string) {
  const { management } = JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8'));
  const response = await fetch(`http://${management}/readyz`);
  const { status, problems = [] } = (await response.json()) as { status: string; problems?: { check: string }[] };
  return { code: response.status, status, checks: problems.map(({ check }) => check) };
}

describe('ARCHITECTURE §2: the life of a gate over plain HTTP', () => {
  it('serves without a certificate, and without asking the core for anything', async () => {
    const core = await startTestCore(service, {});
    await withGate(core.address, async (gate, directory) => {
      const server = await gate.serve((_, outgoing) => answerLine(outgoing, 200, 'hello'));
      const client = await connectPlain(server.address.port);
      client.send(get('/'));
      assert.equal(parseAnswer(await client.read()).body, 'hello\n');
      client.destroy();
      const facts = JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8'));
      assert.equal(facts.address, `127.0.0.1:${server.address.port}`);
      assert.equal(existsSync(join(directory, 'status/tls.pem')), false);
      assert.equal(await gate.core.connect(5_000), true);
      assert.deepEqual(await readiness(directory), { code: 200, status: 'ready', checks: [] });
    });
    core.stop();
  });

  it('is degraded, not unready, while the core is away', async () => {
    await withGate('127.0.0.1:1', async (gate, directory) => {
      assert.equal((await readiness(directory)).code, 503);
      await gate.serve((_, outgoing) => answerLine(outgoing, 200, 'hello'));
      assert.deepEqual(await readiness(directory), { code: 200, status: 'degraded', checks: ['core'] });
    });
  });

  it('is unready when the gate says so itself', async () => {
    await withGate('127.0.0.1:1', async (gate, directory) => {
      await gate.serve((_, outgoing) => answerLine(outgoing, 200, 'hello'));
      gate.addReadinessCheck(() => [{ check: 'status', detail: 'nothing was loaded' }]);
      assert.deepEqual(await readiness(directory), { code: 503, status: 'not ready', checks: ['core', 'status'] });
    });
  });

  it('starts with a credential that has ended: what it holds is good without the core', async () => {
    const life = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    await withGate(
      '127.0.0.1:1',
      async (gate, directory) => {
        await gate.serve((_, outgoing) => answerLine(outgoing, 200, 'hello'));
        assert.deepEqual(await readiness(directory), {
          code: 200,
          status: 'degraded',
          checks: ['core', 'credential'],
        });
      },
      life,
    );
  });
});
