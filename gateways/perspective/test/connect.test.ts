import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { startDeafPort } from './support/deaf-port.ts';
import { zone } from './support/dns-server.ts';
import { answer, startHttpServer } from './support/http-server.ts';
import { controlRequest, createParts, farDeadline, keyAuthorization } from './support/looking.ts';

describe('mpic.md §2.3: a connection that times out', () => {
  it('is tried once more when there is no other address', async (t) => {
    const port = await startDeafPort(t, '127.0.0.1');
    const limits = { connectMs: 60 };
    const parts = await createParts(t, zone({ 'a.test': { A: ['127.0.0.1'] } }), {
      httpPort: port,
      tlsPort: port,
      limits,
    });
    for (const method of ['http-01', 'tls-alpn-01']) {
      const finding = await checkDomainControl(parts, controlRequest({ method }), farDeadline());
      assert.deepEqual([finding.result, finding.problem?.type, finding.used], ['error', 'connection', '127.0.0.1']);
      const once = `time-out connecting to 127.0.0.1:${port}`;
      assert.equal(finding.problem?.detail, `${once}; ${once}`);
    }
  });

  it('over IPv6 is followed by one over IPv4', async (t) => {
    const server = await startHttpServer(t, () => answer(200, keyAuthorization));
    await startDeafPort(t, '::1', server.port);
    const parts = await createParts(t, zone({ 'a.test': { A: ['127.0.0.1'], AAAA: ['::1'] } }), {
      httpPort: server.port,
      limits: { connectMs: 60 },
    });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.used], ['pass', '127.0.0.1']);
  });

  it('ends at the deadline, though more tries are left', async (t) => {
    const port = await startDeafPort(t, '127.0.0.1');
    const parts = await createParts(t, zone({ 'a.test': { A: ['127.0.0.1'] } }), {
      httpPort: port,
      limits: { connectMs: 20_000, methodMs: 100 },
    });
    const started = performance.now();
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.equal(finding.problem?.detail, `time-out connecting to 127.0.0.1:${port}`);
    assert.ok(performance.now() - started < 5000);
  });
});
