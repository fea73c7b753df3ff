import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { createTestAuthority } from '@gatehouse/ra-client/testing/certificate-builder';
import type { TestCore } from '@gatehouse/ra-client/testing/test-core';
import { ocspPath, ocspRequest } from './support/http.ts';
import { Publisher } from './support/publisher.ts';
import { makeDirectory, type RunningGate, startGate, until } from './support/running-gate.ts';
import { signedCrl, statusIssuer } from './support/signed.ts';

const crlPath = '/crl/issuing-1.crl';
const seconds = (count: number): Date => new Date(Math.floor(Date.now() / 1000 + count) * 1000);

let directory: ReturnType<typeof makeDirectory>;
let publisher: Publisher;
let core: TestCore | undefined;
let gate: RunningGate | undefined;

beforeEach(() => {
  directory = makeDirectory();
  publisher = new Publisher();
});

afterEach(async () => {
  await gate?.stop();
  core?.stop();
  gate = undefined;
  core = undefined;
  directory.remove();
});

/** A core with everything that is published, and a gate that has it. */
async function startBoth(): Promise<RunningGate> {
  for (const { name: scope, hasDelta } of publisher.publication.scopes) {
    publisher.makeCrl({ scope, crlNumber: 7 });
    if (hasDelta) publisher.makeCrl({ scope, crlNumber: 8, isDelta: true });
  }
  core = await publisher.start();
  gate = await startGate(directory.path, core.address);
  await until(async () => (await gate?.readiness())?.status === 'ready');
  return gate;
}

async function ocspStatus(running: RunningGate, serialNumber = '0a01'): Promise<string> {
  const { body } = await running.send(ocspPath(ocspRequest([serialNumber])));
  const response = readOcspResponse(body);
  return response.status === 'successful' ? (response.singles[0]?.status.kind ?? 'nothing') : response.status;
}

describe('ARCHITECTURE §3: the gate follows WatchStatus', () => {
  it('is not ready before everything was loaded, and is when it was', async () => {
    const release = Promise.withResolvers<void>();
    publisher.beforeCrl = () => release.promise;
    publisher.sign({});
    for (const { name: scope } of publisher.publication.scopes) publisher.makeCrl({ scope });
    core = await publisher.start();
    gate = await startGate(directory.path, core.address);
    const running = gate;
    await until(async () => (await ocspStatus(running)) === 'good');
    const before = await running.readiness();
    assert.equal(before.code, 503);
    assert.match(before.problems.join(), /not fetched yet: issuing/);
    assert.equal((await running.send(crlPath)).status, 503);
    release.resolve();
    await until(async () => (await running.send(crlPath)).status === 200);
  });

  it('an issue and a revocation are seen as they are signed', async () => {
    const running = await startBoth();
    assert.equal(await ocspStatus(running), 'tryLater');
    publisher.sign({});
    await until(async () => (await ocspStatus(running)) === 'good');
    publisher.sign({ isRevoked: true });
    await until(async () => (await ocspStatus(running)) === 'revoked');
    assert.equal(await running.metric('status_core_reachable'), 1);
    assert.ok(Math.abs((await running.metric('status_last_change_timestamp_seconds')) - Date.now() / 1000) < 60);
    assert.equal(await running.metric('status_responses{where="memory"}'), 1);
  });

  it('a CRL is fetched as it is announced; an older one is not', async () => {
    const running = await startBoth();
    const newer = publisher.makeCrl({ crlNumber: 12, padding: 700_000 });
    await until(
      async () => (await running.send(crlPath, { method: 'HEAD' })).headers['content-length'] === String(newer.length),
    );
    publisher.makeCrl({ crlNumber: 11 });
    const newest = publisher.makeCrl({ scope: 'issuing', crlNumber: 12, padding: 1 });
    await until(async () => (await running.send('/crl/issuing.crl')).body.equals(newest));
    assert.deepEqual((await running.send(crlPath)).body, newer);
  });

  it('a CRL that comes damaged is not served, and is fetched again', async () => {
    const running = await startBoth();
    const { body } = await running.send(crlPath);
    let attempts = 0;
    publisher.damages = (octets) => {
      attempts++;
      return Buffer.concat([octets.subarray(0, -1), Buffer.from([0])]);
    };
    const octets = publisher.makeCrl({ crlNumber: 20 });
    await until(() => Promise.resolve(attempts > 0));
    assert.deepEqual((await running.send(crlPath)).body, body);
    publisher.damages = undefined;
    await until(async () => (await running.send(crlPath)).body.equals(octets));
  });

  it('a CRL that is published and was not announced is fetched', async () => {
    const octets = signedCrl({ scope: 'root', crlNumber: 3 });
    publisher.publication = {
      ...publisher.publication,
      scopes: [{ name: 'root', authority: 'root', hasDelta: false }],
    };
    publisher.hold({ ...octets, facts: { ...octets.facts, authority: 'root' } });
    core = await publisher.start();
    gate = await startGate(directory.path, core.address);
    const running = gate;
    await until(async () => (await running.send('/crl/root.crl')).status === 200);
  });

  it('a scope that is new is taken up with its first CRL, one that is gone is forgotten', async () => {
    const running = await startBoth();
    const scopes = [{ name: 'issuing-9', authority: 'issuing', hasDelta: false }];
    publisher.publication = { ...publisher.publication, scopes };
    publisher.makeCrl({ scope: 'issuing-9' });
    await until(async () => (await running.send('/crl/issuing-9.crl')).status === 200);
    assert.equal((await running.send(crlPath)).status, 404);
    assert.deepEqual(readdirSync(join(directory.path, 'status/crl')), ['issuing-9.7.crl']);
  });

  it('a name of a scope that could leave its folder is never used', async () => {
    publisher.publication = {
      ...publisher.publication,
      scopes: [{ name: '../x', authority: 'issuing', hasDelta: false }],
    };
    publisher.makeCrl({ scope: '../x' });
    publisher.sign({});
    core = await publisher.start();
    gate = await startGate(directory.path, core.address);
    const running = gate;
    await until(async () => (await ocspStatus(running)) === 'good');
    await until(async () => (await running.readiness()).status === 'ready');
    assert.deepEqual(readdirSync(join(directory.path, 'status')).sort(), [
      'crl',
      'responses.db',
      'responses.db-shm',
      'responses.db-wal',
    ]);
  });

  it('asks the core for what is not signed yet', async () => {
    const running = await startBoth();
    publisher.live = ({ queries }) => ({
      responses: queries.map(() => ({
        response: Buffer.from(ocspErrorResponse('unauthorized')),
        thisUpdate: undefined,
        nextUpdate: undefined,
      })),
    });
    assert.equal(await ocspStatus(running, '0bad'), 'unauthorized');
  });
});

describe('the gate without the core', () => {
  it('starts with nothing: later, not ready, and ready when the core comes', async () => {
    core = await publisher.start();
    const { port } = core;
    core.stop();
    gate = await startGate(directory.path, core.address);
    const running = gate;
    assert.equal(await ocspStatus(running), 'tryLater');
    for (const path of [crlPath, '/chain.pem', '/issuer/issuing.crt']) {
      assert.equal((await running.send(path)).status, 503, path);
    }
    const { code, problems } = await running.readiness();
    assert.equal(code, 503);
    assert.match(problems.join(), /status: nothing has been loaded/);
    publisher.sign({});
    for (const { name: scope } of publisher.publication.scopes) publisher.makeCrl({ scope });
    for (const scope of ['issuing', 'issuing-1']) publisher.makeCrl({ scope, isDelta: true, crlNumber: 8 });
    core = await publisher.start(port);
    await until(async () => (await running.readiness()).status === 'ready');
    assert.equal(await ocspStatus(running), 'good');
    assert.equal((await running.send('/chain.pem')).status, 200);
  });

  it('serves on when the core goes away, says so, and goes on where it was when it comes back', async () => {
    const running = await startBoth();
    publisher.sign({ serialNumber: '0a01' }, { serialNumber: '0a02' });
    await until(async () => (await ocspStatus(running, '0a02')) === 'good');
    core?.stop();
    await until(async () => (await running.metric('status_core_reachable')) === 0);
    const { code, status, problems } = await running.readiness();
    assert.deepEqual([code, status], [200, 'degraded']);
    assert.match(problems.join(), /stream: the CA core was followed until .* ends at 20/);
    assert.equal(await ocspStatus(running), 'good');
    assert.equal((await running.send(crlPath)).status, 200);
    assert.equal(await ocspStatus(running, '0bad'), 'tryLater');
    publisher.sign({ isRevoked: true });
    core = await publisher.start(core?.port);
    await until(async () => (await ocspStatus(running)) === 'revoked');
    assert.equal(publisher.watched.at(-1)?.afterPosition, 2);
    await until(async () => (await running.readiness()).status === 'ready');
  });

  it('serves at once after a restart without the core, and goes on from where the copy ends', async () => {
    const first = await startBoth();
    publisher.sign({});
    await until(async () => (await ocspStatus(first)) === 'good');
    const { body } = await first.send(crlPath);
    await first.stop();
    core?.stop();
    gate = await startGate(directory.path, core?.address ?? '');
    const second = gate;
    assert.equal(await ocspStatus(second), 'good');
    assert.deepEqual((await second.send(crlPath)).body, body);
    assert.equal((await second.send('/chain.pem')).status, 200);
    assert.equal((await second.readiness()).status, 'degraded');
    core = await publisher.start(core?.port);
    await until(async () => (await second.readiness()).status === 'ready');
    assert.deepEqual(publisher.watched.at(-1), { epoch: 'e1', afterPosition: 1 });
  });

  it('is not ready when a CRL has ended, or a response has since the core went away', async () => {
    publisher.sign({ nextUpdate: seconds(3) });
    publisher.sign({ serialNumber: '0a02' });
    const running = await startBoth();
    core?.stop();
    await until(async () => (await running.metric('status_core_reachable')) === 0);
    await until(async () => (await running.readiness()).code === 503);
    assert.match((await running.readiness()).problems.join(), /stream: 1 OCSP responses have ended/);
    assert.equal(await ocspStatus(running), 'tryLater');
    assert.equal(await ocspStatus(running, '0a02'), 'good');
  });

  it('a CRL that has ended is red also while the core is there', async () => {
    const running = await startBoth();
    publisher.makeCrl({ crlNumber: 9, thisUpdate: seconds(-100), nextUpdate: seconds(-1) });
    await until(async () => (await running.readiness()).code === 503);
    assert.match((await running.readiness()).problems.join(), /crl: the CRL 'issuing-1' ended at/);
    assert.equal((await running.send(crlPath)).status, 503);
  });

  it('a delta that has ended makes it degraded: the complete CRL stands', async () => {
    const running = await startBoth();
    const times = { thisUpdate: seconds(-100), nextUpdate: seconds(-1) };
    publisher.makeCrl({ crlNumber: 9, isDelta: true, ...times });
    await until(async () => (await running.readiness()).status === 'degraded');
    assert.match((await running.readiness()).problems.join(), /crl: the delta CRL 'issuing-1' ended at/);
    assert.equal((await running.send('/crl/issuing-1-delta.crl')).status, 503);
    assert.equal((await running.send(crlPath)).status, 200);
  });
});

describe('a core that is another one', () => {
  it('with another epoch: everything is read again, and older answers change nothing', async () => {
    const running = await startBoth();
    publisher.sign({ isRevoked: true, thisUpdate: seconds(-10) });
    await until(async () => (await ocspStatus(running)) === 'revoked');
    core?.stop();
    publisher.begin('e2');
    publisher.sign({ thisUpdate: seconds(-20) });
    publisher.sign({ serialNumber: '0a02' });
    core = await publisher.start(core?.port);
    await until(async () => (await ocspStatus(running, '0a02')) === 'good');
    assert.equal(await ocspStatus(running), 'revoked');
  });

  it('with another key: what was signed by the old one is forgotten', async () => {
    const running = await startBoth();
    publisher.sign({});
    await until(async () => (await ocspStatus(running)) === 'good');
    core?.stop();
    publisher.begin('e2');
    const certificate = Buffer.from(createTestAuthority('other').certificate);
    publisher.publication = { issuers: [statusIssuer({ certificate })], scopes: [] };
    core = await publisher.start(core?.port);
    await until(async () => (await running.send('/issuer/issuing.crt')).body.equals(certificate));
    assert.equal(await ocspStatus(running), 'unauthorized');
    assert.equal((await running.send(crlPath)).status, 404);
    assert.deepEqual(readdirSync(join(directory.path, 'status/crl')), []);
  });
});
