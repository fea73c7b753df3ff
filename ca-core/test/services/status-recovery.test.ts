// Published status after everything that can be lost, damaged or missed: another CRL with a higher number, every response
// signed anew, nothing told twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { encodePem } from '@gatehouse/pkix/pem';
import { CertificateStatusClient } from '@gatehouse/proto/certificate-status';
import { createLog } from '@gatehouse/runtime/log';
import { renewRootCrl } from '../../src/authorities/renew-root-crl.ts';
import { authoritiesOf } from '../support/credentials.ts';
import { assertAuditHolds, certificationRequest, enrollRequest, issue, refused } from '../support/enrollment.ts';
import { type Connection, channelCredentials, startTestCore } from '../support/running-core.ts';
import {
  changeStatus,
  entriesOf,
  fetchCrl,
  fetchCrlWhen,
  followStatus,
  readSuccessful,
  type StatusFollower,
  withFiles,
} from '../support/status.ts';

const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));
const lines: string[] = [];
const log = createLog({ name: 'core', level: 'info', destination: { write: (line) => void lines.push(line) } });
const core = await startTestCore(['core.status.baseUrl=http://status.example.com'], { log });
after(() => core.stop());
const credential = await core.addRegistrationAuthority({
  name: 'gate',
  profiles: ['tls-server'],
  dns: ['example.com'],
});

let gate: Connection;
let follower: StatusFollower;

const allCrls = ['issuing', 'issuing-ca', 'issuing-1'].flatMap((name) => [name, `${name}-delta`]).concat('root');

async function connect(): Promise<void> {
  gate = core.connect(credential);
  follower = followStatus(gate.status);
  await follower.until(({ crls, messages }) => allCrls.every((name) => crls.has(name)) && messages.at(-1)?.isCurrent);
}

/** Starts again, and waits until everything is published. */
async function restart(whileStopped?: () => void): Promise<void> {
  follower.cancel();
  await core.restart(whileStopped);
  await connect();
}

async function obtain(): Promise<string> {
  const { serialNumber } = await issue(
    gate.authority,
    enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })),
  );
  await follower.until(({ responses }) => responses.has(serialNumber));
  return serialNumber;
}

const numbers = () => Object.fromEntries([...follower.crls].map(([name, crl]) => [name, crl.crlNumber]));
const path = (name: string): string => join(core.directory, name);
const isRevoked = (serialNumber: string) => (told: StatusFollower) =>
  told.responses.has(serialNumber) &&
  readSuccessful(told.ocspResponse(serialNumber)).singles[0]?.status.kind === 'revoked';

/** Until the shard lists a certificate with this reason. */
async function listed(serialNumber: string, reason: number, isDelta = false): Promise<void> {
  await fetchCrlWhen(
    gate.status,
    follower,
    { scope: 'issuing-1', isDelta },
    (entries) => entries[serialNumber] === reason,
  );
}

function change(file: string, run: (raw: DatabaseSync) => void): void {
  const raw = new DatabaseSync(path(file));
  run(raw);
  raw.close();
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://${core.running.management}/metrics`)).text();
  return Number(new RegExp(`^gatehouse_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

beforeEach(() => connect());
afterEach(() => follower.cancel());

describe('a core that starts again', () => {
  it('serves the CRLs that are there and still right, and signs nothing twice', async () => {
    const serialNumber = await obtain();
    const before = numbers();
    const position = follower.position();
    await restart();
    assert.deepEqual(numbers(), before);
    assert.equal(follower.messages[0]?.epoch, position.epoch);
    const again = followStatus(gate.status, position);
    await again.until(({ messages }) => messages.at(-1)?.isCurrent);
    assert.equal(again.responses.has(serialNumber), false);
    again.cancel();
  });

  it('ends the streams of those that follow, so that nobody has to wait for them', async () => {
    const target = { 'grpc.ssl_target_name_override': 'core.gatehouse.internal' };
    const client = new CertificateStatusClient(core.running.address, channelCredentials(credential), target);
    const other = followStatus(client);
    await other.until(({ messages }) => messages.length > 0);
    await restart();
    assert.match(String(await other.ended), /UNAVAILABLE/);
    client.close();
  });

  it('makes CRLs that are damaged or gone anew, with higher numbers, and leaves the others', async () => {
    const before = numbers();
    await restart(() => {
      writeFileSync(path('crl/issuing-1.crl'), 'damaged');
      rmSync(path('crl/issuing-delta.crl'));
      rmSync(path('crl/root.crl'));
      // What a crash has left of a CRL that was being made.
      writeFileSync(path('crl/.issuing-1.5.tbs'), 'half of it');
    });
    await follower.until(({ crls }) => (crls.get('issuing-delta')?.crlNumber ?? 0) > (before['issuing-delta'] ?? 0));
    await follower.until(({ crls }) => (crls.get('issuing-1')?.crlNumber ?? 0) > (before['issuing-1'] ?? 0));
    for (const name of ['issuing', 'issuing-ca', 'issuing-1-delta', 'root'])
      assert.equal(numbers()[name], before[name]);
    await fetchCrl(gate.status, 'issuing-1');
    await fetchCrl(gate.status, 'root');
    assert.ok(lines.some((line) => line.includes('missing or damaged')));
  });

  it('makes a CRL anew whose file goes while it runs', async () => {
    const before = numbers();
    for (const name of ['issuing-ca', 'root']) rmSync(path(`crl/${name}.crl`));
    await refused(fetchCrl(gate.status, 'issuing-ca'), 'unavailable', /being made/);
    await follower.until(({ crls }) => (crls.get('issuing-ca')?.crlNumber ?? 0) > (before['issuing-ca'] ?? 0));
    await fetchCrl(gate.status, 'issuing-ca');
    await refused(fetchCrl(gate.status, 'root'), 'unavailable', /being made/);
    const { facts } = await fetchCrl(gate.status, 'root');
    assert.equal(facts.crlNumber, before.root);
  });

  it('shows what was revoked when no CRL of it could be made any more', async () => {
    const serialNumber = await obtain();
    await restart(() =>
      change('core.db', (raw) => {
        raw.exec(`insert into revocations
          select serial_number, 'revoked', 1, ${Date.now()}, null, 'test', authority, crl_scope, not_after
          from certificates where serial_number = '${serialNumber}'`);
        raw.exec(`insert into status_changes (serial_number, authority, crl_scope, not_after, state, at)
          select serial_number, authority, crl_scope, not_after, 'revoked', ${Date.now()}
          from certificates where serial_number = '${serialNumber}'`);
      }),
    );
    await follower.until(isRevoked(serialNumber));
    for (const isDelta of [false, true]) await listed(serialNumber, 1, isDelta);
  });

  it('takes in the root’s CRL when there is a newer one, also while it runs', async () => {
    const before = numbers().root ?? 0;
    const rootPassphrase = readFileSync(path('secrets/root-passphrase'), 'utf8').trimEnd();
    await renewRootCrl({ directory: core.directory, rootPassphrase, clock: { now: () => new Date() } });
    await follower.until(({ crls }) => (crls.get('root')?.crlNumber ?? 0) > before);
    const { crl } = await fetchCrl(gate.status, 'root');
    assert.equal(Number(crl.crlNumber), numbers().root);
  });
});

describe('the database of responses', () => {
  async function loses(whileStopped: () => void): Promise<void> {
    const serialNumber = await obtain();
    const { responses } = follower;
    const { epoch, afterPosition } = follower.position();
    follower.cancel();
    await core.restart(whileStopped);
    gate = core.connect(credential);
    // A reader that still has the former epoch is told everything.
    follower = followStatus(gate.status, { epoch, afterPosition });
    await follower.until((told) => [...responses.keys()].every((one) => told.responses.has(one)));
    assert.notEqual(follower.messages[0]?.epoch, epoch);
    readSuccessful(follower.ocspResponse(serialNumber));
  }

  it('that is gone is filled anew, under another epoch', () => loses(() => rmSync(path('ocsp.db'))));

  it('that is damaged is filled anew, under another epoch', async () => {
    await loses(() => writeFileSync(path('ocsp.db'), randomBytes(16_384)));
    assert.ok(lines.some((line) => line.includes('given up and made anew')));
  });

  it('that belongs to another core.db is filled anew: its positions would mean other certificates', () =>
    loses(() => change('ocsp.db', (raw) => raw.exec(`update progress set certificate_serial_number = 'aa'`))));
});

describe('a status thread that ends', () => {
  it('is started again, is told of and counted, and nothing is missed', async () => {
    const serialNumber = await obtain();
    const restarts = await metric('core_status_thread_restarts_total');
    const thread = workers.findLast(({ threadName }) => threadName === 'status');
    assert.ok(thread);
    const ended = once(thread, 'exit');
    await thread.terminate();
    await ended;
    const readiness = await fetch(`http://${core.running.management}/readyz`);
    assert.equal(readiness.status, 503);
    assert.match(await readiness.text(), /status thread/);
    await changeStatus(gate.authority, serialNumber);
    await follower.until(isRevoked(serialNumber));
    await listed(serialNumber, 4);
    assert.equal(await metric('core_status_thread_restarts_total'), restarts + 1);
    assert.ok(lines.some((line) => line.includes('the status thread ended')));
  });
});

describe('a CRL of ten thousand entries', () => {
  it('is made, and openssl reads it', async () => {
    const count = 10_000;
    const before = numbers()['issuing-1'] ?? 0;
    await restart(() =>
      change('core.db', (raw) => {
        const now = Date.now();
        const row = `'revoked', 4, ${now}, null, 'test', 'issuing', 'issuing-1', ${now + 86_400_000}`;
        raw.exec('begin');
        const insert = raw.prepare(`insert into revocations values (?, ${row})`);
        for (let index = 0; index < count; index++) insert.run(`4a01${randomBytes(16).toString('hex')}`);
        raw.exec(`update crls set change_position = -1 where scope = 'issuing-1'`);
        raw.exec(`insert into status_changes (serial_number, authority, crl_scope, not_after, state, at)
          values ('00', 'issuing', 'issuing-1', 0, 'released', ${now}); commit`);
      }),
    );
    await follower.until(({ crls }) => (crls.get('issuing-1')?.crlNumber ?? 0) > before);
    const { facts, der, crl } = await fetchCrl(gate.status, 'issuing-1');
    assert.ok(facts.entries >= count);
    assert.equal(Object.keys(entriesOf(crl)).length, facts.entries);
    const issuer = encodePem('CERTIFICATE', authoritiesOf(core.directory).issuing.certificate.der);
    withFiles({ 'a.crl': der, 'issuer.pem': issuer }, (file) =>
      execFileSync(
        'openssl',
        ['crl', '-inform', 'DER', '-in', file('a.crl'), '-CAfile', file('issuer.pem'), '-noout'],
        {
          stdio: 'pipe',
        },
      ),
    );
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
