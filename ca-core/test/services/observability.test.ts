// What an operator sees from outside: metrics with their labels, readiness, one request id from gate to core, rates.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { EnrollResponse } from '@gatehouse/proto/certificate-authority';
import { fromServiceError } from '@gatehouse/proto/core-error';
import { createManualClock } from '@gatehouse/runtime/clock';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import { Metadata } from '@grpc/grpc-js';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  issuedOf,
  refused,
} from '../support/enrollment.ts';
import { startTestCore } from '../support/running-core.ts';
import { followStatus } from '../support/status.ts';

const lines: string[] = [];
const log = createLog({ name: 'core', level: 'info', destination: { write: (line) => void lines.push(line) } });
const clock = createManualClock(new Date());
const core = await startTestCore([], { log, clock });
after(() => core.stop());
const registration = { profiles: ['tls-server', 'tls-client', 'sub-ca'], dns: ['example.com'], subject: ['*'] };
const { authority: gate, status } = core.connect(
  await core.addRegistrationAuthority({ name: 'gate', ...registration }),
);

const request = (changes: Parameters<typeof enrollRequest>[1] = {}) =>
  enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] }), changes);

async function page(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`http://${core.running.management}${path}`);
  return { status: response.status, text: await response.text() };
}

/** The value of a series, 0 when there is none. */
async function metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const { text } = await page('/metrics');
  const line = text.split('\n').find((each) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return each.split(/[{ ]/, 1)[0] === name && wanted.every((part) => each.includes(part));
  });
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
}

describe('metrics', () => {
  const requests = 'gatehouse_core_requests_total';

  it('count calls by rpc, profile and outcome', async () => {
    const ok = { rpc: 'Enroll', profile: 'tls-server', outcome: 'ok' };
    const before = await metric(requests, ok);
    await issue(gate, request());
    assert.equal(await metric(requests, ok), before + 1);
    await refused(enroll(gate, enrollRequest(certificationRequest({ names: ['DNS:evil.test'] }))), 'out-of-scope');
    assert.equal(await metric(requests, { ...ok, outcome: 'out-of-scope' }), 1);
  });

  it('have no series that a client could name', async () => {
    await refused(enroll(gate, request({ profile: 'chosen-by-the-client' })), 'profile-unknown');
    assert.ok(!(await page('/metrics')).text.includes('chosen-by-the-client'));
  });

  it('time calls and signatures', async () => {
    const calls = await metric('gatehouse_core_request_duration_seconds_count', { rpc: 'Enroll' });
    const signatures = await metric('gatehouse_core_signing_duration_seconds_count', { authority: 'issuing' });
    await issue(gate, request());
    assert.equal(await metric('gatehouse_core_request_duration_seconds_count', { rpc: 'Enroll' }), calls + 1);
    assert.equal(
      await metric('gatehouse_core_signing_duration_seconds_count', { authority: 'issuing' }),
      signatures + 1,
    );
  });

  it('count certificates once, however often they are asked for', async () => {
    const issued = { profile: 'tls-client' };
    const asked = request(issued);
    for (let again = 0; again < 3; again++) await enroll(gate, asked);
    assert.equal(await metric('gatehouse_core_certificates_issued_total', issued), 1);
  });

  it('count streams like other calls', async () => {
    await auditEvents(core, { limit: 1 });
    assert.ok((await metric(requests, { rpc: 'ListAuditEvents', outcome: 'ok' })) >= 1);
    await refused(auditEvents(core, { action: 'nonsense' }), 'malformed', /nonsense/);
    assert.ok((await metric(requests, { rpc: 'ListAuditEvents', outcome: 'malformed' })) >= 1);
  });

  it('tell what waits: enrollments, orphans, records without seal', async () => {
    const csr = certificationRequest({ subject: 'CN=Site CA' });
    await enroll(gate, enrollRequest(csr, { profile: 'sub-ca' }));
    assert.equal(await metric('gatehouse_core_pending_enrollments'), 1);
    const { text } = await page('/metrics');
    assert.match(text, /^gatehouse_core_orphan_intents 0$/m);
    assert.match(text, /^gatehouse_core_audit_lag_records \d+$/m);
  });
});

describe('probes', () => {
  it('say that the core lives and is ready', async () => {
    assert.equal((await page('/livez')).status, 200);
    const follower = followStatus(status);
    await follower.until(({ crls }) => crls.has('issuing') && crls.has('issuing-delta'));
    follower.cancel();
    assert.deepEqual(await page('/readyz'), { status: 200, text: '{"status":"ready"}\n' });
  });

  it('say that it is not ready when its issuing CA has ended', async () => {
    clock.advance(11 * 365 * 86_400_000);
    const { status, text } = await page('/readyz');
    clock.advance(-11 * 365 * 86_400_000);
    assert.equal(status, 503);
    assert.match(text, /"authority".*expired/);
  });
});

describe('one request id from gate to core', () => {
  function enrollAs(requestId: string, asked: Parameters<typeof gate.enroll>[0]): Promise<EnrollResponse> {
    const metadata = new Metadata();
    metadata.set('gatehouse-request-id', requestId);
    return new Promise((resolve, reject) => {
      gate.enroll(asked, metadata, (error, response) =>
        error === null ? resolve(response) : reject(fromServiceError(error)),
      );
    });
  }

  const linesWith = (text: string) => lines.filter((line) => line.includes(text)).map((line) => JSON.parse(line));

  it('is in the line and in the audit event of a certificate', async () => {
    const requestId = newRequestId();
    const { serialNumber } = issuedOf(await enrollAs(requestId, request()));
    const [line] = linesWith(requestId);
    assert.deepEqual(
      [line?.requestId, line?.serialNumber, line?.caller],
      [requestId, serialNumber, 'spiffe://gatehouse.internal/ra/gate'],
    );
    const [event] = await auditEvents(core, { serialNumber });
    assert.equal(JSON.parse(event?.body ?? '{}').requestId, requestId);
  });

  it('is in the line of a refusal, which names the cause', async () => {
    const requestId = newRequestId();
    const outside = enrollRequest(certificationRequest({ names: ['DNS:evil.test'] }));
    await refused(enrollAs(requestId, outside), 'out-of-scope');
    const [line] = linesWith(requestId);
    assert.deepEqual([line?.rpc, line?.code], ['Enroll', 'out-of-scope']);
    assert.match(line?.msg, /evil\.test/);
  });

  it('is one of ours when the gate’s has not our form: nobody writes into our log', async () => {
    await enrollAs('forged"} {"level":"fatal', request());
    assert.deepEqual(linesWith('forged'), []);
  });

  it('keeps secrets out: no line holds a key or a token', () => {
    for (const line of lines) assert.doesNotMatch(line, /PRIVATE KEY|gh-join\./);
  });
});

describe('the rate of an RA', () => {
  it('is kept for each RA by itself, and who is too fast is told when to come back', async () => {
    const slow = await core.joinRegistrationAuthority({ name: 'slow', ...registration, ratePerSecond: 2 });
    const refusals = (await auditEvents(core, { action: 'enrollment-refused' })).length;
    await issue(slow, request());
    await issue(slow, request());
    const error = await refused(enroll(slow, request()), 'rate-limited', /slow/);
    assert.equal(error.retryAfterSeconds, 1);
    await issue(gate, request());
    clock.advance(1000);
    await issue(slow, request());
    // Overload is no decision about a request, and recording it would feed it.
    assert.equal((await auditEvents(core, { action: 'enrollment-refused' })).length, refusals);
  });

  it('counts what is refused, too', async () => {
    const wrong = await core.joinRegistrationAuthority({ name: 'wrong', ...registration, ratePerSecond: 1 });
    await refused(enroll(wrong, request({ profile: 'nonsense' })), 'profile-unknown');
    await refused(enroll(wrong, request({ profile: 'nonsense' })), 'rate-limited');
  });

  it('does not slow down other calls', async () => {
    const busy = await core.joinRegistrationAuthority({ name: 'busy', ...registration, ratePerSecond: 0.001 });
    await issue(busy, request());
    await refused(enroll(busy, request()), 'rate-limited');
    await new Promise((resolve, reject) =>
      busy.getTrustBundle({}, (error, bundle) => (error === null ? resolve(bundle) : reject(error))),
    );
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
