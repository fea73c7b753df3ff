// Revoking from the command line: one certificate, and many at once, on a real core.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import { connectAs, joinRegistrationAuthority } from './faults/support/bridge.ts';
import { type Ended, runCommand } from './faults/support/command.ts';
import { newDataDirectory } from './faults/support/data-directory.ts';
import { newSentRequest, send } from './faults/support/enrollment-load.ts';
import { killNow, type Listening, startCore } from './faults/support/processes.ts';

const hooks: (() => void)[] = [];
let directory: string;
let core: Listening;

before(async () => {
  directory = await newDataDirectory({ after: (hook) => hooks.push(hook as () => void) });
  core = await startCore(directory);
});

after(async () => {
  await killNow(core.command);
  for (const hook of hooks) hook();
});

type Issued = { readonly serialNumber: string; readonly certificate: Uint8Array };

/** Certificates that an RA of this name enrolls. */
async function enroll(ra: string, count: number): Promise<readonly Issued[]> {
  const credential = await joinRegistrationAuthority(directory, ra, core.address);
  const connection = connectAs(directory, credential, core.address);
  try {
    return await Promise.all(Array.from({ length: count }, () => send(connection, newSentRequest())));
  } finally {
    await connection.close();
  }
}

async function enrollOne(ra: string): Promise<Issued> {
  const [issued] = await enroll(ra, 1);
  return issued ?? assert.fail('nothing was issued');
}

function run(...args: readonly string[]): Promise<Ended> {
  return runCommand([...args, '--data', directory]);
}

async function json<Value>(...args: readonly string[]): Promise<Value> {
  const { exitCode, output, errors } = await run(...args, '--json');
  assert.equal(exitCode, 0, `gatehouse ${args.join(' ')}\n${output}${errors}`);
  return JSON.parse(output);
}

type Shown = { readonly state: string; readonly revocation?: { readonly reason: string } };

const show = (serialNumber: string) => json<Shown>('cert', 'show', serialNumber);

function fileOf(name: string, { certificate }: Issued): string {
  const file = join(directory, name);
  writeFileSync(file, encodePem('CERTIFICATE', certificate));
  return file;
}

describe('gatehouse cert revoke, hold, release', () => {
  test('take the serial number as tools print it', async () => {
    const issued = await enrollOne('serial');
    const colons = new X509Certificate(issued.certificate).serialNumber.match(/../g)?.join(':') ?? '';
    const { output } = await run('cert', 'revoke', colons, '--reason', 'superseded');
    assert.equal(output, `${issued.serialNumber} is revoked now\n`);
    assert.equal((await show(issued.serialNumber)).revocation?.reason, 'superseded');
  });

  test('take a file, and hold, release and revoke what is in it', async () => {
    const issued = await enrollOne('file');
    const file = fileOf('leaf.pem', issued);
    assert.equal((await json<Shown>('cert', 'hold', file)).state, 'held');
    assert.match((await run('cert', 'hold', file)).errors, /already-revoked/);
    assert.equal((await json<Shown>('cert', 'release', file)).state, 'valid');
    assert.match((await run('cert', 'release', file)).errors, /not on hold/);
    assert.equal((await json<Shown>('cert', 'revoke', file)).state, 'revoked');
    assert.match((await run('cert', 'revoke', file)).errors, /already-revoked/);
    assert.match((await run('cert', 'release', file)).errors, /not on hold/);
  });

  test('refuse a certificate of another CA, whatever its serial number', async () => {
    const { errors, exitCode } = await run('cert', 'revoke', join(directory, 'trust/root.pem'));
    assert.equal(exitCode, 1);
    assert.match(errors, /not-found/);
    const other = await run('cert', 'hold', join(directory, 'gatehouse.yaml'));
    assert.equal(other.exitCode, 1);
    assert.match(other.errors, /gatehouse.yaml is not a certificate/);
  });
});

describe('gatehouse revoke', () => {
  type Counted = { readonly matching: number; readonly toChange: number; readonly examples: readonly string[] };
  type Job = { readonly id: string; readonly state: string; readonly changed: number; readonly where: string };

  test('--dry-run counts and shows some, and changes nothing', async () => {
    const issued = await enroll('dry', 12);
    const counted = await json<Counted>('revoke', '--where', 'ra=dry', '--dry-run');
    assert.deepEqual([counted.matching, counted.toChange, counted.examples.length], [12, 12, 10]);
    const { output, errors } = await run('revoke', '--where', 'ra=dry,profile=tls-server', '--dry-run');
    assert.match(output, /^Matching: +12\nTo change: +12\nExamples: /);
    assert.match(errors, /nothing was changed/);
    assert.equal((await show(issued[0]?.serialNumber ?? '')).state, 'valid');
    assert.deepEqual(await json('revoke', 'list'), []);
  });

  test('asks, and without a terminal changes nothing', async () => {
    const { exitCode, errors } = await run('revoke', '--where', 'ra=dry');
    assert.equal(exitCode, 1);
    assert.match(errors, /no terminal.*\n.*--yes/);
    assert.equal((await json<Counted>('revoke', '--where', 'ra=dry', '--dry-run')).toChange, 12);
  });

  test('--yes holds, releases and revokes what fits, and nothing else', async () => {
    const [issued, other] = [await enroll('many', 5), await enrollOne('other')];
    const states = () => Promise.all(issued.map(async ({ serialNumber }) => (await show(serialNumber)).state));
    const change = (reason: string) => json<Job>('revoke', '--where', 'ra=many', '--reason', reason, '--yes');
    for (const [reason, state] of [
      ['certificate-hold', 'held'],
      ['remove-from-crl', 'valid'],
      ['cessation-of-operation', 'revoked'],
    ] as const) {
      const job = await change(reason);
      assert.deepEqual([job.state, job.changed, job.where], ['done', 5, 'ra=many']);
      assert.deepEqual(new Set(await states()), new Set([state]));
    }
    assert.equal((await show(other.serialNumber)).state, 'valid');
    const { output, errors } = await run('revoke', '--where', 'ra=many', '--yes');
    assert.match(output, /^Matching: +5\nTo change: +0\nPassed over: +5 /);
    assert.match(errors, /nothing was changed/);
  });

  test('finds certificates by their key, and blocks it when it is lost', async () => {
    const [issued, ...others] = await enroll('key', 3);
    assert.ok(issued !== undefined);
    const { publicKey } = new X509Certificate(issued.certificate);
    const digest = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    const { output, errors } = await run(
      ...['revoke', '--where', `key-fingerprint=${digest}`, '--reason', 'key-compromise', '--invalid-since', '1d'],
      '--yes',
    );
    assert.match(output, /^job \w+ is done: 1 of 1 changed, 0 passed over\n$/);
    assert.match(errors, /goes on by itself; 'gatehouse revoke stop \w+'/);
    assert.equal((await show(issued.serialNumber)).revocation?.reason, 'key-compromise');
    for (const { serialNumber } of others) assert.equal((await show(serialNumber)).state, 'valid');
  });

  test('list, watch and stop tell of jobs', async () => {
    const jobs = await json<readonly Job[]>('revoke', 'list');
    assert.deepEqual(
      jobs.map(({ changed }) => changed),
      [1, 5, 5, 5],
    );
    const id = jobs[0]?.id ?? '';
    const { output } = await run('revoke', 'list');
    assert.match(output, /^JOB +STATE +STARTED +REASON +MATCHING +CHANGED +PASSED OVER +WHERE\n/);
    assert.match(output, new RegExp(`^${id}  done .* key-compromise +1 +1 +0 +key-fingerprint=`, 'm'));
    assert.equal((await json<Job>('revoke', 'watch', id)).state, 'done');
    assert.equal((await json<Job>('revoke', 'stop', id)).state, 'done');
    assert.match((await run('revoke', 'watch', 'none')).errors, /no such bulk revocation/);
  });
});
