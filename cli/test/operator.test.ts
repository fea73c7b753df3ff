import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { type Ended, runCommand } from './faults/support/command.ts';
import { certificateIn, createEstClient } from './faults/support/est-client.ts';
import { newRequest } from './faults/support/requests.ts';
import { emptyDirectory, type Stack, startStack } from './support/stack.ts';

const hooks: (() => void)[] = [];
let stack: Stack;
let certificate: X509Certificate;

before(async () => {
  stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }));
  const client = createEstClient(stack.directory, Number(new URL(stack.endpoints.est.url).port));
  certificate = new X509Certificate(certificateIn(await client.enroll(newRequest())));
  client.close();
});

after(async () => {
  await stack.interrupt();
  for (const hook of hooks) hook();
});

/** Runs a command on the directory of the stack. */
function run(...args: readonly string[]): Promise<Ended> {
  return runCommand([...args, '--data', stack.directory]);
}

/** The same, where it must work. */
async function answer(...args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await run(...args);
  assert.equal(exitCode, 0, `gatehouse ${args.join(' ')}\n${output}${errors}`);
  return output;
}

/** The same with --json. */
async function json<Value>(...args: readonly string[]): Promise<Value> {
  return JSON.parse(await answer(...args, '--json'));
}

const serialNumber = (): string => certificate.serialNumber.toLowerCase();
const name = (): string => (certificate.subjectAltName ?? '').replace('DNS:', '');

type Listed = { readonly serialNumber: string; readonly state: string; readonly profile: string; readonly pem: string };

describe('gatehouse cert', () => {
  test('list shows what was issued, newest first', async () => {
    const [first] = await json<readonly Listed[]>('cert', 'list');
    assert.equal(first?.serialNumber, serialNumber());
    assert.match(await answer('cert', 'list'), new RegExp(`^SERIAL NUMBER .*\\n${serialNumber()}  valid `));
  });

  test('list takes conditions, which must all hold', async () => {
    const count = async (...args: readonly string[]): Promise<number> =>
      (await json<readonly Listed[]>('cert', 'list', ...args)).length;
    assert.equal(await count('--profile', 'tls-server', '--ra', 'est', '--requester', 'demo', '--state', 'valid'), 1);
    assert.equal(await count('--profile', 'tls-server', '--expires-before', '30d'), 0);
    assert.equal(await count('--profile', 'tls-server', '--expires-before', '91d'), 1);
    assert.equal(await count('--profile', 'tls-server', '--expires-after', '30d', '--issued-after', '1h'), 1);
    assert.equal(await count('--profile', 'tls-client'), 0);
  });

  test('list says how to go on when there are more', async () => {
    const { output, errors } = await run('cert', 'list', '--limit', '1');
    assert.equal(output.trim().split('\n').length, 2);
    assert.match(errors, new RegExp(`go on with --after ${serialNumber()}`));
    const [next] = await json<readonly Listed[]>('cert', 'list', '--limit', '1', '--after', serialNumber());
    assert.notEqual(next?.serialNumber, serialNumber());
  });

  test('find knows names, serial numbers as tools print them, and fingerprints of keys', async () => {
    const [{ keyFingerprint }] = await json<readonly [{ keyFingerprint: string }]>('cert', 'find', name());
    const colons = certificate.serialNumber.match(/../g)?.join(':') ?? '';
    for (const what of [name(), certificate.serialNumber, colons, keyFingerprint]) {
      const found = await json<readonly Listed[]>('cert', 'find', what);
      assert.deepEqual(
        found.map((one) => one.serialNumber),
        [serialNumber()],
        what,
      );
    }
  });

  test('find ends with 1 when there is none', async () => {
    const { exitCode, output, errors } = await run('cert', 'find', 'nobody.example.com');
    assert.deepEqual([exitCode, output], [1, '']);
    assert.match(errors, /no certificate with 'nobody.example.com'/);
  });

  test('show prints the fields and the PEM; with a file it finds the same', async () => {
    const text = await answer('cert', 'show', serialNumber());
    assert.match(text, /^Profile: +tls-server$/m);
    assert.match(text, /^Requester: +user:demo$/m);
    assert.match(text, /^Extended key usage: +serverAuth$/m);
    assert.ok(text.includes(certificate.toString().trim()));
    const file = join(stack.directory, 'leaf.pem');
    writeFileSync(file, await answer('cert', 'show', serialNumber(), '--pem'));
    assert.equal((await json<Listed>('cert', 'show', file)).serialNumber, serialNumber());
  });

  test('show says that there is none', async () => {
    const { exitCode, errors } = await run('cert', 'show', '0102');
    assert.equal(exitCode, 1);
    assert.match(errors, /not-found/);
  });

  test('revoke is for good, and says so the second time', async () => {
    const revoked = await json<Listed & { revocation: { reason: string } }>(
      ...['cert', 'revoke', serialNumber(), '--reason', 'key-compromise', '--invalid-since', '1d'],
    );
    assert.equal(revoked.state, 'revoked');
    assert.equal(revoked.revocation.reason, 'key-compromise');
    const { exitCode, errors } = await run('cert', 'revoke', serialNumber());
    assert.equal(exitCode, 1);
    assert.match(errors, /already-revoked/);
  });
});

describe('gatehouse ra', () => {
  test('add prints the token alone, join uses it, and a second use is refused', async (context) => {
    const directory = emptyDirectory(context);
    const { output, errors } = await run(
      ...['ra', 'add', 'est-dmz', '--profiles', 'device-identity,gateway-tls', '--dns', 'example.com'],
      ...['--ip', '10.0.0.0/8', '--uri', 'https://devices.example.com/', '--email', 'example.com'],
      ...['--subject', 'device-identity:CN=*', '--max-validity', '90d', '--rate', '50', '--token-life', '1h'],
    );
    assert.match(output, /^gh-join\.[\w-]+\n$/);
    assert.match(errors, /works once/);

    const token = join(directory, 'token');
    writeFileSync(token, output, { mode: 0o600 });
    const joined = await runCommand(['ra', 'join', '--token-file', token, '--data', directory, '--json']);
    const file = join(directory, 'ra/est-dmz/credential.pem');
    assert.equal(JSON.parse(joined.output).file, file);
    assert.equal(statSync(file).mode & 0o777, 0o600);

    const again = await runCommand(['ra', 'join', '--token-file', token, '--data', directory]);
    assert.equal(again.exitCode, 1);
    assert.match(again.errors, /used or has expired\n.*gatehouse ra token/);
  });

  test('add --status-only makes one that may enrol nothing', async () => {
    const { exitCode, output } = await run('ra', 'add', 'status-2', '--status-only');
    assert.equal(exitCode, 0);
    assert.match(output, /^gh-join\./);
    const list = await json<readonly { name: string; profiles: string[]; scope: { dnsSuffixes: string[] } }[]>(
      ...['ra', 'list'],
    );
    const made = list.find((ra) => ra.name === 'status-2');
    assert.deepEqual([made?.profiles, made?.scope.dnsSuffixes], [[], []]);
  });

  test('list and show tell what each may ask for', async () => {
    const list = await json<readonly { name: string; scope: { ipRanges: string[] }; maximumValidity: string }[]>(
      ...['ra', 'list'],
    );
    const dmz = list.find((ra) => ra.name === 'est-dmz');
    assert.deepEqual([dmz?.scope.ipRanges, dmz?.maximumValidity], [['10.0.0.0/8'], '90d']);
    assert.match(await answer('ra', 'list'), /^est-dmz +active +device-identity,gateway-tls/m);
    assert.match(await answer('ra', 'show', 'est-dmz'), /^Rate: +50 enrollments a second$/m);
  });

  test('token prints a further token, which joins into a file', async (context) => {
    const directory = emptyDirectory(context);
    const { token } = await json<{ token: string }>('ra', 'token', 'est-dmz', '--token-life', '5m');
    const file = join(directory, 'credential.pem');
    const joined = await runCommand(['ra', 'join', '--token', token, '--file', file]);
    assert.equal(joined.exitCode, 0, joined.errors);
    assert.ok(existsSync(file));
  });

  test('disable shuts it out', async () => {
    assert.equal((await json<{ isDisabled: boolean }>('ra', 'disable', 'est-dmz')).isDisabled, true);
    assert.match(await answer('ra', 'list'), /^est-dmz +disabled/m);
  });

  test('says what is wrong with a scope, a profile, a name that is taken', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => (await run('ra', 'add', ...args)).errors;
    assert.match(await refused('x', '--profiles', 'tls-server', '--ip', '10.0.0/33'), /'10.0.0\/33' is not a range/);
    assert.match(await refused('x', '--profiles', 'nothing'), /no profile nothing/);
    assert.match(await refused('est', '--profiles', 'tls-server'), /there is an RA est already/);
  });
});

describe('gatehouse profile', () => {
  test('list and show tell of the built-in profiles', async () => {
    const names = (await json<readonly { name: string }[]>('profile', 'list')).map((profile) => profile.name);
    for (const profile of ['tls-server', 'tls-client', 'tls-server-client', 'device-identity', 'gateway-tls']) {
      assert.ok(names.includes(profile), profile);
    }
    assert.match(await answer('profile', 'show', 'tls-server'), /^Extended key usage: +serverAuth$/m);
    assert.deepEqual((await json<{ keyUsage: string[] }>('profile', 'show', 'tls-server')).keyUsage, [
      'digitalSignature',
    ]);
  });
});

describe('gatehouse enrollment', () => {
  test('list is empty when nothing waits', async () => {
    assert.deepEqual(await json('enrollment', 'list'), []);
  });

  test('approve and reject say that there is no such request', async () => {
    assert.match((await run('enrollment', 'approve', 'x')).errors, /no such enrollment/);
    assert.match((await run('enrollment', 'reject', 'x', '--reason', 'y')).errors, /no such enrollment/);
  });
});

describe('gatehouse est user', () => {
  test('adds, lists and removes, and prints a generated password once', async () => {
    const added = await run('est', 'user', 'add', 'line3', '--generate', '--dns', 'line3.example.com', '--uses', '3');
    assert.match(added.output, /^[\w-]{20}\n$/);
    const list = await answer('est', 'user', 'list');
    assert.match(list, /^line3 +active +\* +dns:line3\.example\.com +3 /m);
    assert.ok(!list.includes(added.output.trim()));
    assert.doesNotMatch(await answer('est', 'user', 'list', '--json'), /argon2|digest/);
    await answer('est', 'user', 'remove', 'line3');
    assert.doesNotMatch(await answer('est', 'user', 'list'), /line3/);
  });

  test('takes a password from a file that nobody else may read', async () => {
    const file = join(stack.directory, 'password');
    writeFileSync(file, 'correct horse battery staple\n', { mode: 0o644 });
    const add = ['est', 'user', 'add', 'ci', '--password-file', file, '--labels', 'tls-server'];
    assert.match((await run(...add)).errors, /chmod 600/);
    writeFileSync(join(stack.directory, 'private'), readFileSync(file), { mode: 0o600 });
    await answer(...add.with(5, join(stack.directory, 'private')));
    await answer('est', 'user', 'remove', 'ci');
  });

  test('says what is wrong: no terminal, unknown label, name taken, nobody of that name', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => (await run('est', 'user', ...args)).errors;
    assert.match(await refused('add', 'x'), /no terminal.*\n.*--generate/);
    assert.match(await refused('add', 'x', '--generate', '--labels', 'tls-sever'), /did you mean 'tls-server'/);
    assert.match(await refused('add', 'demo', '--generate'), /exists already/);
    assert.match(await refused('remove', 'nobody'), /no user 'nobody'/);
  });
});

describe('gatehouse audit', () => {
  test('list shows what happened, newest first, and takes conditions', async () => {
    const events = await json<readonly { action: string; serialNumber: string; requester: string }[]>(
      ...['audit', 'list', '--serial', serialNumber(), '--after', '1h'],
    );
    const actions = events.map(({ action }) => action);
    assert.ok(actions.includes('certificate-issued') && actions.includes('status-changed'), actions.join());
    assert.match((await run('audit', 'list', '--action', 'nothing')).errors, /no audit action/);
  });

  test('verify says that the log is whole', async () => {
    assert.match(await answer('audit', 'verify'), /^the audit log is whole: \d+ records\n$/);
  });

  test('export writes every record as a line of JSON, oldest first, to a file or to standard output', async () => {
    const file = join(stack.directory, 'audit.jsonl');
    const { records } = await json<{ records: number }>('audit', 'export', '--file', file);
    const parse = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const events: readonly { sequence: number; mac: string }[] = parse(readFileSync(file, 'utf8'));
    assert.equal(events.length, records);
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const [first] = parse(await answer('audit', 'export'));
    assert.deepEqual(first, events[0]);
  });

  test('export says when it cannot write', async () => {
    assert.match(
      (await run('audit', 'export', '--file', '/nonexistent/audit.jsonl')).errors,
      /cannot write \/nonexistent/,
    );
  });

  test('verify names the first broken record and ends with 1', async () => {
    const database = new DatabaseSync(join(stack.directory, 'core.db'));
    database.exec(`UPDATE audit_events SET actor = 'spiffe://gatehouse.internal/operator/mallory' WHERE sequence = 3`);
    database.close();
    const { exitCode, output } = await run('audit', 'verify');
    assert.equal(exitCode, 1);
    assert.match(output, /^the audit log is broken at record 3 of instance /);
    const { exitCode: again, output: text } = await run('audit', 'verify', '--json');
    assert.equal(again, 1);
    assert.equal(JSON.parse(text).firstBreak.sequence, 3);
  });
});

describe('without a core', () => {
  test('an operator is told how to start one', async (context) => {
    const directory = emptyDirectory(context);
    assert.equal((await runCommand(['init', '--data', directory])).exitCode, 0);
    const file = join(directory, 'gatehouse.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('port: 5280', 'port: 0'));
    const { exitCode, errors } = await runCommand(['cert', 'list', '--data', directory]);
    assert.equal(exitCode, 1);
    assert.match(errors, /the core is not running\n.*gatehouse up/);
  });
});
