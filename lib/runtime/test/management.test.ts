import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { type ReadinessCheck, startManagement } from '@gatehouse/runtime/management';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { recordingLog } from './support/log.ts';

async function start(context: TestContext, readiness: ReadinessCheck = () => []) {
  const { log, lines } = recordingLog();
  const management = await startManagement({ port: 0, readiness, metrics: createMetrics(), log });
  context.after(() => management.close());
  const url = `http://${management.address.host}:${management.address.port}`;
  return { url, lines, port: management.address.port, log };
}

describe('management listener', () => {
  test('is on loopback unless told', async (context) => {
    const { url } = await start(context);
    assert.match(url, /^http:\/\/127\.0\.0\.1:/);
  });

  test('answers /livez', async (context) => {
    const { url } = await start(context);
    const response = await fetch(`${url}/livez`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'alive' });
  });

  test('answers /readyz with 200 when nothing is wrong', async (context) => {
    const { url } = await start(context, async () => []);
    const response = await fetch(`${url}/readyz?verbose`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'ready' });
  });

  test('answers /readyz with 503 and the list of problems', async (context) => {
    const problems = [{ check: 'disk-space', detail: 'less than 64 MiB are left' }];
    const { url } = await start(context, () => problems);
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { status: 'not ready', problems });
  });

  test('answers /readyz with 200 and the problems when all of them are tolerable', async (context) => {
    const away = { check: 'core', detail: 'no core can be reached' };
    const { url } = await start(context, () => [{ ...away, isTolerable: true }]);
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'degraded', problems: [away] });
  });

  test('is not ready when one of the problems is not tolerable', async (context) => {
    const { url } = await start(context, () => [
      { check: 'core', detail: 'no core can be reached', isTolerable: true },
      { check: 'status', detail: 'a CRL is over', isTolerable: false },
    ]);
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 503);
    const { problems } = (await response.json()) as { problems: readonly unknown[] };
    assert.equal(problems.length, 2);
  });

  test('is not ready when a check throws, logs the cause and does not show it', async (context) => {
    const { url, lines } = await start(context, () => Promise.reject(new Error('the secret detail')));
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 503);
    assert.ok(!(await response.text()).includes('secret detail'));
    assert.ok(JSON.stringify(lines).includes('secret detail'));
  });

  test('answers /metrics in the text format of Prometheus', async (context) => {
    const { url } = await start(context);
    const response = await fetch(`${url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await response.text(), /^# HELP /m);
  });

  test('answers HEAD without a body', async (context) => {
    const { url } = await start(context);
    const response = await fetch(`${url}/livez`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
  });

  test('answers 404 for any other path and 405 for any other method', async (context) => {
    const { url } = await start(context);
    assert.equal((await fetch(`${url}/`)).status, 404);
    const response = await fetch(`${url}/readyz`, { method: 'POST', body: 'x' });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
  });

  test('says that the port is taken and which setting to change', async (context) => {
    const { port, log } = await start(context);
    await assert.rejects(
      startManagement({ port, readiness: () => [], metrics: createMetrics(), log, setting: 'est.management.port' }),
      (error) =>
        error instanceof FatalError &&
        error.message === `cannot listen on 127.0.0.1:${port}: the port is taken by another process` &&
        error.hint?.includes('est.management.port') === true,
    );
  });

  test('closes although a client keeps its connection open', async () => {
    const management = await startManagement({
      port: 0,
      readiness: () => [],
      metrics: createMetrics(),
      log: recordingLog().log,
    });
    const response = await fetch(`http://127.0.0.1:${management.address.port}/livez`);
    await response.text();
    await management.close();
    await assert.rejects(fetch(`http://127.0.0.1:${management.address.port}/livez`));
  });
});
