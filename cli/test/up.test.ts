import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommand, startCommand } from './faults/support/command.ts';
import { freePort } from './faults/support/data-directory.ts';
import { certificateIn, createEstClient } from './faults/support/est-client.ts';
import { newRequest } from './faults/support/requests.ts';
import {
  emptyDirectory,
  hasEnded,
  isAlive,
  processOf,
  readEndpoints,
  type Stack,
  startStack,
} from './support/stack.ts';

/** Names of all processes, the core first. */
const everything = ['core', 'est', 'coap', 'acme', 'status', 'perspective-here-a', 'perspective-here-b'] as const;

/** Enrols as `demo` with what endpoints.json says. */
async function enroll(directory: string): Promise<X509Certificate> {
  const client = createEstClient(directory, Number(new URL(readEndpoints(directory).est.url).port));
  try {
    return new X509Certificate(certificateIn(await client.enroll(newRequest())));
  } finally {
    client.close();
  }
}

describe('gatehouse up in an empty directory', () => {
  const hooks: (() => void)[] = [];
  let stack: Stack;
  before(async () => {
    stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }));
  });
  after(async () => {
    stack.command.kill('SIGKILL');
    await stack.command.ended;
    for (const hook of hooks) hook();
  });

  test('says what it makes while it makes it', () => {
    assert.equal(stack.command.count(/^making the keys/), 1);
  });

  test('writes endpoints.json as the contract has it, for its owner alone', () => {
    const { directory, endpoints } = stack;
    assert.deepEqual(Object.keys(endpoints), ['trustAnchor', 'chain', 'core', 'est', 'coap', 'acme', 'status']);
    assert.deepEqual(Object.keys(endpoints.est), ['url', 'username', 'password']);
    assert.deepEqual(Object.keys(endpoints.coap), ['url', 'deviceCertificate', 'deviceKey', 'manufacturer']);
    assert.match(endpoints.coap.url, /^coaps:\/\/127\.0\.0\.1:\d+$/);
    assert.match(endpoints.core.address, /^127\.0\.0\.1:\d+$/);
    assert.match(endpoints.est.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(endpoints.est.username, 'demo');
    assert.equal(statSync(join(directory, 'endpoints.json')).mode & 0o777, 0o600);
  });

  test('names the root alone as trust anchor, and the issuing CA as chain', () => {
    const { directory, endpoints } = stack;
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    const root = new X509Certificate(read(endpoints.trustAnchor));
    const issuing = new X509Certificate(read(endpoints.chain));
    assert.equal(read(endpoints.trustAnchor).split('BEGIN CERTIFICATE').length - 1, 1);
    assert.equal(root.subject, root.issuer);
    assert.ok(issuing.verify(root.publicKey));
  });

  test('keeps the password for trying out in a file for its owner alone, and its hash for the gate', () => {
    const { directory, endpoints } = stack;
    const file = join(directory, 'secrets/est-demo-password');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(readFileSync(file, 'utf8').trim(), endpoints.est.password);
    const users = readFileSync(join(directory, 'est/users.yaml'), 'utf8');
    assert.match(users, /argon2id/);
    assert.ok(!users.includes(endpoints.est.password));
  });

  test('lets its user enrol names that nobody owns, and devices under any common name and serial number', async () => {
    const { output } = await runCommand(['est', 'user', 'list', '--json', '--data', stack.directory]);
    const [{ names }] = JSON.parse(output);
    assert.deepEqual(names, {
      dnsSuffixes: ['example.com', 'example.test', 'localhost'],
      ipRanges: ['127.0.0.0/8', '::1/128'],
      uriPrefixes: [],
      emailDomains: [],
      subjectAttributes: ['device-identity:CN=*', 'device-identity:serialNumber=*'],
    });
  });

  test('prints what can be tried, with the real addresses, and that it is for trying out', async () => {
    await stack.command.line(new RegExp(`${stack.endpoints.est.url}/.well-known/est/simpleenroll`));
    await stack.command.line(/^This is for trying out/);
  });

  test('enrols', async () => {
    const certificate = await enroll(stack.directory);
    assert.ok(certificate.checkIssued(new X509Certificate(readFileSync(join(stack.directory, 'trust/chain.pem')))));
  });

  test('makes nothing that others may write, and no secret that others may read', () => {
    for (const name of readdirSync(stack.directory, { recursive: true, encoding: 'utf8' })) {
      const status = statSync(join(stack.directory, name));
      assert.equal(status.mode & 0o022, 0, name);
      if (
        /key\.pem$|\.key$|\.sock$|^secrets\/.|^operators\/.|credential\.pem$|users\.yaml$|tls\.pem$|\.db$|\.log$/.test(
          name,
        )
      ) {
        assert.equal(status.mode & 0o077, 0, name);
      }
    }
  });

  test('refuses a second suite on the same directory and leaves the first one alone', async () => {
    const { exitCode, errors } = await runCommand(['up', '--data', stack.directory, '--ports', 'auto']);
    assert.equal(exitCode, 1);
    assert.match(errors, /a core is running on .* already/);
    assert.deepEqual(readEndpoints(stack.directory), stack.endpoints);
  });

  for (const name of everything) {
    test(`starts the ${name} again at the same address when it dies`, async () => {
      const before = processOf(stack.directory, name);
      process.kill(before.pid, 'SIGKILL');
      await stack.command.line(new RegExp(`^${name}: it was killed by SIGKILL; it is started again`));
      await stack.command.line(new RegExp(`^${name}: it is back`));
      const now = processOf(stack.directory, name);
      assert.notEqual(now.pid, before.pid);
      assert.equal(now.address, before.address);
      await enroll(stack.directory);
    });
  }

  test('ends everything on Ctrl-C, the core last, and removes endpoints.json', async () => {
    const processes = everything.map((name) => processOf(stack.directory, name).pid);
    const { exitCode } = await stack.interrupt();
    assert.equal(exitCode, 0);
    assert.deepEqual(processes.filter(isAlive), []);
    assert.ok(!existsSync(join(stack.directory, 'endpoints.json')));
    const lastLine = (name: string) => {
      const lines = readFileSync(join(stack.directory, 'log', `${name}.log`), 'utf8').split('\n');
      return lines.findLast((line) => line.includes('stopped')) ?? '{}';
    };
    const [core, ...others] = everything.map((name) => JSON.parse(lastLine(name)).time);
    for (const other of others) assert.ok(other <= core, `another process ended at ${other}, the core at ${core}`);
  });

  test('finds at the second start what the first made', async () => {
    const anchor = readFileSync(join(stack.directory, 'trust/root.pem'), 'utf8');
    const { endpoints } = stack;
    stack = await startStack(stack.directory);
    assert.equal(readFileSync(join(stack.directory, 'trust/root.pem'), 'utf8'), anchor);
    assert.equal(stack.endpoints.est.password, endpoints.est.password);
    assert.equal(stack.command.count(/ …$/), 0, 'nothing is made');
    await enroll(stack.directory);
  });

  test('leaves no process behind when it is killed', async () => {
    const processes = everything.map((name) => processOf(stack.directory, name).pid);
    stack.command.kill('SIGKILL');
    await stack.command.ended;
    stack = await startStack(stack.directory);
    await Promise.all(processes.map(hasEnded));
  });

  test('makes a new credential when that of the gate cannot be used', async () => {
    await stack.interrupt();
    writeFileSync(join(stack.directory, 'ra/est/credential.pem'), 'damaged', { mode: 0o600 });
    stack = await startStack(stack.directory);
    await enroll(stack.directory);
  });

  test('does not bring back a user that an operator removed', async () => {
    await stack.interrupt();
    const { exitCode } = await runCommand(['est', 'user', 'remove', 'demo', '--data', stack.directory]);
    assert.equal(exitCode, 0);
    stack = await startStack(stack.directory);
    assert.deepEqual(Object.keys(stack.endpoints.est), ['url']);
  });
});

describe('gatehouse up', () => {
  test('--json prints one object when everything answers, without the password', async (context) => {
    const directory = emptyDirectory(context);
    const command = startCommand(['up', '--data', directory, '--ports', 'auto', '--json']);
    const answer = JSON.parse(await command.line(/^\{"ready":true/));
    const { core, est, coap, acme, status } = readEndpoints(directory);
    assert.deepEqual(answer, {
      ready: true,
      data: directory,
      endpoints: join(directory, 'endpoints.json'),
      core,
      est: { url: est.url },
      coap,
      acme,
      status,
    });
    command.kill('SIGTERM');
    const { exitCode, output } = await command.ended;
    assert.equal(exitCode, 0);
    assert.ok(!output.includes(est.password));
  });

  test('--only core starts no gate', async (context) => {
    const directory = emptyDirectory(context);
    const stack = await startStack(directory, ['--only', 'core']);
    assert.deepEqual(Object.keys(stack.endpoints), ['trustAnchor', 'chain', 'core']);
    assert.ok(!existsSync(join(directory, 'run/est.json')));
    assert.equal((await stack.interrupt()).exitCode, 0);
  });

  test('names all ports that are taken in one message, with both ways out, and leaves nothing running', async (context) => {
    const directory = emptyDirectory(context);
    const [port, other] = [await freePort(), await freePort()];
    const owner = await startStack(directory, [
      '--set',
      `core.listen.port=${port}`,
      '--set',
      `est.listen.port=${other}`,
    ]);
    const second = await runCommand([
      'up',
      ...['--data', emptyDirectory(context), '--ports', 'auto'],
      ...['--set', `core.listen.port=${port}`, '--set', `est.listen.port=${other}`],
    ]);
    assert.equal(second.exitCode, 1);
    assert.deepEqual(second.words.slice(-2), [
      `another process listens on 127.0.0.1:${port} (core.listen.port), 127.0.0.1:${other} (est.listen.port)`,
      `  stop it, let the system choose free ports with --ports auto, or choose one: --set core.listen.port=${port + 10_000}`,
    ]);
    await owner.interrupt();
  });

  test('names the port of the status gate when that is taken, whatever its number is', async (context) => {
    const owner = createServer();
    await new Promise<void>((resolve) => owner.listen(0, '127.0.0.1', resolve));
    context.after(() => owner.close());
    const address = owner.address();
    assert.ok(address !== null && typeof address === 'object');
    const { exitCode, words } = await runCommand([
      ...['up', '--data', emptyDirectory(context), '--ports', 'auto'],
      ...['--set', `status.listen.port=${address.port}`],
    ]);
    assert.equal(exitCode, 1);
    assert.match(
      words.at(-2) ?? '',
      new RegExp(`listens on 127\\.0\\.0\\.1:${address.port} \\(status\\.listen\\.port\\)`),
    );
  });

  test('starts the status gate too in a directory that was made before there was one', async (context) => {
    const directory = emptyDirectory(context);
    await startStack(directory, ['--only', 'core']).then((stack) => stack.interrupt());
    const file = join(directory, 'gatehouse.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.indexOf('# The status gate:')).replace(/^ {2}status:\n(?: {4}.*\n)+/m, ''));
    const stack = await startStack(directory);
    const certificate = await enroll(directory);
    assert.match(certificate.infoAccess ?? '', new RegExp(`OCSP - URI:${stack.endpoints.status.ocsp}`));
    assert.equal((await stack.interrupt()).exitCode, 0);
  });

  test('--only est makes certificates that name no status, where nobody would answer', async (context) => {
    const directory = emptyDirectory(context);
    const stack = await startStack(directory, ['--only', 'est']);
    assert.deepEqual(Object.keys(stack.endpoints), ['trustAnchor', 'chain', 'core', 'est']);
    assert.equal((await enroll(directory)).infoAccess, undefined);
    assert.equal((await stack.interrupt()).exitCode, 0);
  });

  test('stops everything with the words of the gate when a gate does not start', async (context) => {
    const directory = emptyDirectory(context);
    const { exitCode, output, words } = await runCommand([
      ...['up', '--data', directory, '--ports', 'auto', '--set', 'est.users=nowhere.yaml'],
    ]);
    assert.equal(exitCode, 1);
    assert.equal(output, '');
    assert.match(words.join('\n'), /nowhere\.yaml/);
    assert.ok(!existsSync(join(directory, 'endpoints.json')));
  });

  test('names the line of a configuration that is not in order', async (context) => {
    const directory = emptyDirectory(context);
    await startStack(directory, ['--only', 'core']).then((stack) => stack.interrupt());
    const file = join(directory, 'gatehouse.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('defaultLabel:', 'defaultLable:'));
    const { exitCode, words } = await runCommand(['up', '--data', directory, '--ports', 'auto']);
    assert.equal(exitCode, 78);
    assert.match(words.join('\n'), /gatehouse\.yaml:\d+:\d+: est\.defaultLable: .*defaultLabel/);
  });
});
