import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { dataDirectory } from '../src/data-directory.ts';
import { settleCoap } from '../src/up/coap.ts';
import { demoDeviceSubject, demoTrustAnchor, hasDemoDevice, makeDemoDevice } from '../src/up/demo-device.ts';
import { demoPasswordFile } from '../src/up/demo-user.ts';
import { explainTakenPorts } from '../src/up/ports.ts';
import { starterConfiguration } from '../src/up/starter-configuration.ts';
import { emptyDirectory } from './support/stack.ts';

const labels = `labels:
    default: { profile: tls-server }
    tls-server: { profile: tls-server }
    tls-client: { profile: tls-client }
    tls-server-client: { profile: tls-server-client }
    device-identity: { profile: device-identity }`;

/** A directory with this gatehouse.yaml. */
function directory(context: TestContext, text: string | undefined, { isForTryingOut = true } = {}) {
  const data = dataDirectory(emptyDirectory(context));
  if (text !== undefined) writeFileSync(data.configuration, text);
  if (isForTryingOut) {
    mkdirSync(dirname(demoPasswordFile(data)), { recursive: true });
    writeFileSync(demoPasswordFile(data), 'secret');
  }
  return data;
}

const credential = 'coap.core.credential=ra/coap/credential.pem';
const settle = (data: ReturnType<typeof directory>) => settleCoap({ data, isStarted: true, set: [] });

/** The trust anchors among `--set` arguments, parsed. */
function anchorsIn(set: readonly string[]): unknown {
  const setting = set.find((one) => one.startsWith('est.trustAnchors='));
  return setting === undefined ? undefined : JSON.parse(setting.slice('est.trustAnchors='.length));
}

describe('what up tells the CoAP gate', () => {
  test('is nothing where gatehouse.yaml speaks of it', (context) => {
    for (const kind of ['trial', 'production'] as const) {
      const { gate, est } = settle(directory(context, starterConfiguration(kind)));
      assert.deepEqual([...gate, ...est], []);
    }
  });

  test('is nothing where there is no gatehouse.yaml yet', (context) => {
    const { gate, est } = settle(directory(context, undefined, { isForTryingOut: false }));
    assert.deepEqual([...gate, ...est], []);
  });

  test('is what a new directory begins with, in one for trying out that was made before there was the gate', (context) => {
    const { gate, est } = settle(directory(context, `est:\n  ${labels}\n`));
    assert.deepEqual(
      gate.filter((one) => !one.startsWith('est.')),
      [
        'coap.listen={"host":"127.0.0.1","port":5684}',
        'coap.names=["localhost","127.0.0.1","::1"]',
        'coap.defaultLabel="device-identity"',
        credential,
      ],
    );
    assert.deepEqual(anchorsIn(gate), [demoTrustAnchor]);
    assert.deepEqual(anchorsIn(est), [demoTrustAnchor], 'one policy for both doors');
  });

  test('leaves labels out that the operator took out', (context) => {
    const { gate } = settle(directory(context, 'est:\n  labels:\n    tls-client: { profile: tls-client }\n'));
    assert.deepEqual(anchorsIn(gate), [{ ...demoTrustAnchor, labels: ['tls-client'] }]);
    assert.ok(!gate.some((one) => one.startsWith('coap.defaultLabel=')));
    const own = settle(directory(context, 'est:\n  labels:\n    own: { profile: tls-client }\n'));
    assert.equal(anchorsIn(own.gate), undefined);
  });

  test('never touches trust anchors of the operator, not even none', (context) => {
    const { gate, est } = settle(directory(context, `est:\n  ${labels}\n  trustAnchors: []\n`));
    assert.equal(anchorsIn([...gate, ...est]), undefined);
  });

  test('is where the credential is, and nothing else, in a directory that is not for trying out', (context) => {
    const { gate, est } = settle(directory(context, `est:\n  ${labels}\n`, { isForTryingOut: false }));
    assert.deepEqual([...gate, ...est], [credential]);
  });

  test('does not name a manufacturer to the EST gate that nobody makes', (context) => {
    const data = directory(context, `est:\n  ${labels}\n`);
    assert.deepEqual(settleCoap({ data, isStarted: false, set: [] }).est, []);
  });
});

describe('the device for trying out', () => {
  test('is made where the gate trusts its manufacturer, once', async (context) => {
    const data = directory(context, starterConfiguration('trial'));
    const steps: string[] = [];
    const { prepare } = settle(data);
    await prepare((step) => steps.push(step));
    const made = readFileSync(join(data.path, 'demo/device.pem'), 'utf8');
    await prepare((step) => steps.push(step));
    assert.deepEqual(steps, ['making the device for trying out']);
    assert.equal(readFileSync(join(data.path, 'demo/device.pem'), 'utf8'), made);
  });

  test('is not brought back where an operator took its manufacturer out', async (context) => {
    const text = starterConfiguration('trial').replace(demoTrustAnchor.file, 'est/own.pem');
    const data = directory(context, text);
    await settle(data).prepare(() => assert.fail('nothing is made'));
    assert.ok(!existsSync(join(data.path, 'demo')));
  });

  test('is never made in a directory that others rely on', async (context) => {
    for (const text of [starterConfiguration('production'), starterConfiguration('trial'), `est:\n  ${labels}\n`]) {
      const data = directory(context, text, { isForTryingOut: false });
      await settle(data).prepare(() => assert.fail('nothing is made'));
      assert.ok(!existsSync(join(data.path, 'demo')));
    }
  });

  test('stays away when an operator took it away', async (context) => {
    const data = directory(context, starterConfiguration('trial'));
    await makeDemoDevice(data);
    assert.match(demoDeviceSubject(data) ?? '', /^\/serialNumber=[0-9A-F]{8}\/CN=device-[0-9a-f]{8}\.example\.test$/);
    rmSync(join(data.path, 'demo/device.pem'));
    await settle(data).prepare(() => assert.fail('nothing is made'));
    assert.equal(demoDeviceSubject(data), undefined);
    assert.ok(!hasDemoDevice(data));
  });
});

describe('ports that are taken', () => {
  for (const [host, family] of [
    ['127.0.0.1', 'udp4'],
    ['::1', 'udp6'],
  ] as const) {
    test(`are looked for by the protocol that is spoken there: ${host}`, async (context) => {
      const socket = createSocket(family).bind(0, host);
      context.after(() => socket.close());
      await once(socket, 'listening');
      const { port } = socket.address();
      const wanted = { host, port, setting: 'coap.listen.port' };
      const error = await explainTakenPorts([{ ...wanted, transport: 'udp' }]);
      assert.equal(error?.message, `another process listens on ${host}:${port}/udp (coap.listen.port)`);
      assert.equal(await explainTakenPorts([wanted]), undefined);
    });
  }
});
