import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { textAnswer } from '@gatehouse/gateway-kit/answer';
import type { GateEnvironment } from '@gatehouse/gateway-kit/exchange';
import { gateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { createGate } from '@gatehouse/gateway-kit/gate-process';
import { readCertificationRequest, requestedNames } from '@gatehouse/pkix/certification-request';
import { saveCredential } from '@gatehouse/ra-client/credential';
import { createTestAuthority, hour } from '@gatehouse/ra-client/testing/certificate-builder';
import {
  createServiceAuthority,
  issued,
  onEnroll,
  silentLog,
  startTestCore,
} from '@gatehouse/ra-client/testing/test-core';
import { FatalError } from '@gatehouse/runtime/fatal';
import { Hono } from 'hono';
import { z } from 'zod';
import { connectRaw, get, parseAnswer } from './support/raw-client.ts';

const service = createServiceAuthority();
const issuing = createTestAuthority('issuing');
const schema = z.strictObject({ ...gateShape(7030), greeting: z.string().default('hello') });

type EnrollRequest = Parameters<Parameters<typeof onEnroll>[0]>[0];

function issue({ subjectKey }: EnrollRequest) {
  const request = readCertificationRequest(
    subjectKey?.$case === 'certificationRequest' ? subjectKey.value : Buffer.alloc(0),
  );
  const certificate = Buffer.from(
    issuing.issue({ publicKey: request.subjectPublicKeyInfo, names: requestedNames(request) }),
  );
  const now = new Date();
  return issued({
    outcome: {
      $case: 'issued',
      value: {
        certificate,
        chain: [Buffer.from(issuing.certificate)],
        serialNumber: '01',
        notBefore: now,
        notAfter: now,
      },
    },
  });
}

async function withGate(
  core: { readonly address: string },
  body: (
    gate: Awaited<ReturnType<typeof createGate<z.output<typeof schema>>>>,
    directory: string,
    stop: () => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-gate-'));
  const stops: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  try {
    saveCredential(join(directory, 'credential.pem'), service.credential('ra/est'));
    const configuration = schema.parse({
      listen: { port: 0 },
      core: { addresses: [core.address], credential: 'credential.pem' },
    });
    const life = { onShutdown: (_: string, stopOne: () => void | Promise<void>) => void stops.push(stopOne) };
    await body(await createGate({ name: 'est', configuration, directory, log: silentLog, life }), directory, stop);
  } finally {
    await stop();
    rmSync(directory, { recursive: true });
  }
}

async function readiness(directory: string): Promise<{ readonly status: number; readonly checks: readonly string[] }> {
  const { management } = JSON.parse(readFileSync(join(directory, 'run/est.json'), 'utf8'));
  const response = await fetch(`http://${management}/readyz`);
  const { problems = [] } = (await response.json()) as { problems?: { check: string }[] };
  return { status: response.status, checks: problems.map(({ check }) => check) };
}

describe('ARCHITECTURE §2: the life of a gate', () => {
  it('gets a certificate from the core, serves, says so, and is ready', async () => {
    const core = await startTestCore(service, { enroll: onEnroll(issue) });
    await withGate(core, async (gate, directory) => {
      assert.equal(gate.registrationAuthority, 'est');
      assert.equal(gate.configuration.greeting, 'hello');
      assert.equal(gate.resolvePath('est/users.yaml'), join(directory, 'est/users.yaml'));
      assert.deepEqual((await readiness(directory)).checks.includes('listener'), true);
      const app = new Hono<GateEnvironment>();
      app.get('/', () => textAnswer(200, gate.configuration.greeting));
      const server = await gate.serve(app);
      const facts = JSON.parse(readFileSync(join(directory, 'run/est.json'), 'utf8'));
      assert.equal(facts.pid, process.pid);
      assert.equal(facts.address, `127.0.0.1:${server.address.port}`);
      assert.ok(existsSync(join(directory, 'est/tls.pem')));
      const client = await connectRaw(server.address.port);
      client.send(get('/'));
      assert.equal(parseAnswer(await client.read()).body, 'hello\n');
      assert.deepEqual(await readiness(directory), { status: 200, checks: [] });
      client.destroy();
    });
    core.stop();
  });

  it('is not ready while the core is away, and is again when it is back', async () => {
    const core = await startTestCore(service, { enroll: onEnroll(issue) });
    await withGate(core, async (gate, directory) => {
      await gate.serve(new Hono<GateEnvironment>());
      core.stop();
      while ((await readiness(directory)).status === 200) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual((await readiness(directory)).checks, ['core']);
      const second = await startTestCore(service, { enroll: onEnroll(issue) }, { port: core.port });
      assert.equal(await gate.core.connect(5_000), true);
      assert.equal((await readiness(directory)).status, 200);
      second.stop();
    });
  });

  it('leaves nothing behind when it stops', async () => {
    const core = await startTestCore(service, { enroll: onEnroll(issue) });
    await withGate(core, async (gate, directory, stop) => {
      const server = await gate.serve(new Hono<GateEnvironment>());
      await stop();
      assert.equal(existsSync(join(directory, 'run/est.json')), false);
      await assert.rejects(connectRaw(server.address.port));
    });
    core.stop();
  });

  it('does not start without a credential, and says what to do', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-gate-'));
    const configuration = schema.parse({ core: { credential: 'missing.pem' } });
    const start = createGate({ name: 'est', configuration, directory, log: silentLog, life: { onShutdown: () => {} } });
    await assert.rejects(
      start,
      (error: FatalError) => error instanceof FatalError && /missing\.pem/.test(error.message),
    );
    rmSync(directory, { recursive: true });
  });

  for (const [title, life, message, hint] of [
    [
      'that has ended',
      { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) },
      /ended at/,
      /ra join/,
    ],
    [
      'that begins later',
      { notBefore: new Date(Date.now() + hour), notAfter: new Date(Date.now() + 2 * hour) },
      /begins at/,
      /clock/,
    ],
  ] as const) {
    it(`does not start with a credential ${title}, and says both times`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'gatehouse-gate-'));
      saveCredential(join(directory, 'credential.pem'), service.credential('ra/est', life));
      const configuration = schema.parse({ core: { credential: 'credential.pem' } });
      const start = createGate({
        name: 'est',
        configuration,
        directory,
        log: silentLog,
        life: { onShutdown: () => {} },
      });
      await assert.rejects(start, (error: FatalError) => {
        assert.ok(error instanceof FatalError);
        assert.match(error.message, message);
        assert.equal(error.message.match(/\d{4}-\d\d-\d\dT/g)?.length, 2);
        assert.match(error.hint ?? '', hint);
        return true;
      });
      rmSync(directory, { recursive: true });
    });
  }
});
