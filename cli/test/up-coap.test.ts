import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { formatName, type Name, parseName } from '@gatehouse/pkix/names';
import { runCommand } from './faults/support/command.ts';
import { connectCoap, type Identity } from './support/coap-device.ts';
import { emptyDirectory, type Stack, startStack } from './support/stack.ts';

/** The device that `up` made. */
function demoDevice({ directory, endpoints }: Stack): Identity & { readonly subject: Name } {
  const { deviceCertificate = '', deviceKey = '' } = endpoints.coap;
  const certificate = new X509Certificate(readFileSync(join(directory, deviceCertificate))).raw;
  const key = createPrivateKey(readFileSync(join(directory, deviceKey)));
  return { certificate, key, subject: readCertificate(certificate).subject };
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Enrols over CoAP and gives what came, or the refusal. */
async function enroll(
  stack: Stack,
  identity: Identity,
  {
    subject,
    key = newKey(),
    path = 'sen',
    dns = [],
  }: { subject: Name; key?: KeyObject; path?: string; dns?: string[] },
): Promise<Certificate> {
  const names = dns.map((value) => ({ kind: 'dns', value }) as const);
  const payload = createCertificationRequest({ subject, key, names });
  await using client = await connectCoap(stack, identity);
  const answer = await client.coap.request({
    method: 'POST',
    path: `/.well-known/est/${path}`,
    contentFormat: 286,
    accept: 281,
    payload,
  });
  assert.equal(answer.code, '2.04', answer.payload.toString());
  const [certificate] = readCertificatesOnly(answer.payload);
  assert.ok(certificate !== undefined);
  return readCertificate(certificate);
}

const only = ['--only', 'coap'];

describe('gatehouse up --only coap', () => {
  const hooks: (() => void)[] = [];
  let stack: Stack;
  before(async () => {
    stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }), only);
  });
  after(async () => {
    stack.command.kill('SIGKILL');
    await stack.command.ended;
    for (const hook of hooks) hook();
  });

  test('writes into endpoints.json where the gate is, and the device for trying it out', () => {
    assert.deepEqual(Object.keys(stack.endpoints), ['trustAnchor', 'chain', 'core', 'coap']);
    assert.deepEqual(stack.endpoints.coap, {
      url: stack.endpoints.coap.url,
      deviceCertificate: 'demo/device.pem',
      deviceKey: 'demo/device.key',
      manufacturer: 'demo/manufacturer.pem',
    });
    assert.match(stack.endpoints.coap.url, /^coaps:\/\/127\.0\.0\.1:\d+$/);
  });

  test('makes keys that nobody else may read', () => {
    for (const name of ['device.key', 'manufacturer.key']) {
      assert.equal(statSync(join(stack.directory, 'demo', name)).mode & 0o777, 0o600, name);
    }
    assert.equal(statSync(join(stack.directory, 'run/control/coap.sock')).mode & 0o777, 0o600);
  });

  test('IEEE 802.1AR §8: the device has a serial number, no end, and no purpose', () => {
    const { subject, certificate } = demoDevice(stack);
    assert.match(formatName(subject), /^CN=device-([0-9a-f]{8})\.example\.test,serialNumber=[0-9A-F]{8}$/);
    const identity = new X509Certificate(certificate);
    const manufacturer = new X509Certificate(readFileSync(join(stack.directory, 'demo/manufacturer.pem')));
    assert.ok(identity.checkIssued(manufacturer) && identity.verify(manufacturer.publicKey));
    assert.equal(identity.validTo, 'Dec 31 23:59:59 9999 GMT');
    assert.equal(identity.keyUsage, undefined);
  });

  test('prints commands for coap-client, with the real address and the subject of the device', async () => {
    await stack.command.line(new RegExp(`${stack.endpoints.coap.url}/.well-known/est/sen`));
    await stack.command.line(/-subj \/serialNumber=[0-9A-F]{8}\/CN=device-/);
    await stack.command.line(/^This is for trying out/);
  });

  test('has the keep verify the chain of the device again, and write down what it proved', async () => {
    const device = demoDevice(stack);
    const { serialNumber } = await enroll(stack, device, { subject: device.subject });
    const query = [
      'audit',
      'list',
      '--data',
      stack.directory,
      '--action',
      'certificate-issued',
      '--limit',
      '1',
      '--json',
    ];
    const { output } = await runCommand(query);
    const [event] = JSON.parse(output);
    assert.equal(event.serialNumber, serialNumber);
    assert.match(
      event.body.evidence[0],
      /^client-certificate-chain: .*serialNumber=[0-9A-F]{8}.*anchor .*Demo manufacturer/,
    );
  });

  test('lets the device fetch the certificates of the CA, and see what there is', async () => {
    await using client = await connectCoap(stack, demoDevice(stack));
    const crts = await client.coap.request({ method: 'GET', path: '/.well-known/est/crts', accept: 281 });
    assert.equal(crts.code, '2.05', crts.payload.toString());
    const root = new X509Certificate(readFileSync(join(stack.directory, 'trust/root.pem')));
    assert.ok(readCertificatesOnly(crts.payload).some((one) => Buffer.compare(one, root.raw) === 0));
    const links = await client.coap.request({ method: 'GET', path: '/.well-known/core?rt=ace.est*' });
    assert.match(links.payload.toString(), /rt="ace\.est\.sen"/);
  });

  test('lets the device enrol its own subject and renew what it got', async () => {
    const device = demoDevice(stack);
    const key = newKey();
    const issued = await enroll(stack, device, { subject: device.subject, key });
    assert.equal(formatName(issued.subject), formatName(device.subject));
    const renewed = await enroll(stack, { certificate: issued.der, key }, { ...device, key, path: 'sren' });
    assert.equal(formatName(renewed.subject), formatName(device.subject));
  });

  test('lets the device enrol its own subject and names that nobody owns under the default label of EST', async () => {
    const device = demoDevice(stack);
    await enroll(stack, device, { subject: device.subject, path: 'default/sen' });
    const issued = await enroll(stack, device, { subject: parseName('CN=localhost'), path: 'default/sen' });
    assert.deepEqual(subjectAlternativeNames(issued), [{ kind: 'dns', value: 'localhost' }]);
    await enroll(stack, device, { subject: parseName('CN=localhost'), dns: ['localhost'] });
  });

  test('never lets the device have the serial number of another', async () => {
    const subject = parseName('CN=device,serialNumber=OTHER');
    await assert.rejects(enroll(stack, demoDevice(stack), { subject }), /serialNumber=OTHER/);
  });

  test('lists the open sessions and ends them', async () => {
    await using client = await connectCoap(stack, demoDevice(stack));
    const list = async (...args: readonly string[]) => {
      const { output } = await runCommand(['coap', 'session', 'list', '--json', '--data', stack.directory, ...args]);
      return JSON.parse(output);
    };
    const peer = `127.0.0.1:${client.dtls.localPort}`;
    const [session] = (await list()).filter((one: { readonly peer: string }) => one.peer === peer);
    assert.deepEqual(Object.keys(session), [
      ...['id', 'peer', 'establishedAt', 'lastHeardAt', 'cipherSuite', 'subject', 'octetsIn', 'octetsOut'],
    ]);
    assert.equal(session.subject, formatName(demoDevice(stack).subject));
    assert.deepEqual(await list('--peer', '192.0.2.1'), []);
    const { output: table } = await runCommand(['coap', 'session', 'list', '--data', stack.directory]);
    assert.match(table, new RegExp(`^${session.id} +${peer} `, 'm'));

    const closed = new Promise<void>((resolve) => {
      client.dtls.onClosed = () => resolve();
    });
    const dropped = await runCommand(['coap', 'session', 'drop', session.id, '--data', stack.directory]);
    assert.equal(dropped.exitCode, 0);
    assert.equal(dropped.output, `session ${session.id} is ended\n`);
    await closed;
    const again = await runCommand(['coap', 'session', 'drop', session.id, '--data', stack.directory]);
    assert.equal(again.exitCode, 1);
    assert.match(again.errors, new RegExp(`there is no open session '${session.id}'`));
  });

  test('ends all sessions of an address', async () => {
    await using client = await connectCoap(stack, demoDevice(stack));
    const closed = new Promise<void>((resolve) => {
      client.dtls.onClosed = () => resolve();
    });
    const { exitCode, output } = await runCommand([
      ...['coap', 'session', 'drop', '--peer', '127.0.0.1', '--json', '--data', stack.directory],
    ]);
    assert.equal(exitCode, 0);
    assert.ok(JSON.parse(output).dropped.length >= 1);
    await closed;
  });

  test('wants to know which sessions are to be ended', async () => {
    const { exitCode, errors } = await runCommand(['coap', 'session', 'drop', '--data', stack.directory]);
    assert.equal(exitCode, 1);
    assert.match(errors, /name sessions by their ids, or all of one address by --peer/);
  });

  test('names the UDP port when another process has it', async (context) => {
    const port = new URL(stack.endpoints.coap.url.replace('coaps:', 'https:')).port;
    const { exitCode, words } = await runCommand([
      ...['up', '--data', emptyDirectory(context), '--ports', 'auto', '--only', 'coap'],
      ...['--set', `coap.listen.port=${port}`],
    ]);
    assert.equal(exitCode, 1);
    assert.equal(words.at(-2), `another process listens on 127.0.0.1:${port}/udp (coap.listen.port)`);
  });

  test('finds at the second start what the first made, and says when no gate runs', async () => {
    const device = readFileSync(join(stack.directory, 'demo/device.pem'), 'utf8');
    assert.equal((await stack.interrupt()).exitCode, 0);
    const { exitCode, errors } = await runCommand(['coap', 'session', 'list', '--data', stack.directory]);
    assert.equal(exitCode, 1);
    assert.match(errors, /no process answers on .*coap\.sock/);
    stack = await startStack(stack.directory, only);
    assert.equal(stack.command.count(/ …$/), 0, 'nothing is made');
    assert.equal(readFileSync(join(stack.directory, 'demo/device.pem'), 'utf8'), device);
    await enroll(stack, demoDevice(stack), demoDevice(stack));
  });

  test('says nothing of the device where the operator trusts other manufacturers', async () => {
    assert.equal((await stack.interrupt()).exitCode, 0);
    stack = await startStack(stack.directory, [...only, '--set', 'est.trustAnchors=[]']);
    assert.deepEqual(Object.keys(stack.endpoints.coap), ['url']);
  });

  test('starts with a device also in a directory that was made before there was this gate', async (context) => {
    const directory = emptyDirectory(context);
    assert.equal((await runCommand(['init', '--data', directory])).exitCode, 0);
    const file = join(directory, 'gatehouse.yaml');
    const earlier = readFileSync(file, 'utf8')
      .replace(/^# The CoAP gate[\s\S]*(?=^# The ACME gate)/m, '')
      .replace(/^ {2}# Manufacturers whose devices[\s\S]*?(?=^\S|^$)/m, '');
    assert.doesNotMatch(earlier, /coap:|trustAnchors|demo-manufacturer/);
    writeFileSync(file, earlier);
    rmSync(join(directory, 'demo'), { recursive: true });
    const old = await startStack(directory, only);
    context.after(() => old.command.kill('SIGKILL'));
    assert.ok(existsSync(join(directory, 'demo/device.pem')));
    assert.ok(!old.endpoints.coap.url.endsWith(':5684'), 'the ports are those that the system chose');
    await enroll(old, demoDevice(old), demoDevice(old));
    assert.equal(readFileSync(file, 'utf8'), earlier, 'what an operator may have changed is left alone');
    assert.equal((await old.interrupt()).exitCode, 0);
  });
});
