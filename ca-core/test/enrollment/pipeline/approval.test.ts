// Enrollments that wait for a person: who may decide, how often, and what the client is told.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { formatName } from '@gatehouse/pkix/names';
import type {
  ListPendingEnrollmentsResponse,
  RegistrationAuthority,
  RejectEnrollmentResponse,
} from '@gatehouse/proto/administration';
import type { CertificateAuthorityClient, EnrollResponse } from '@gatehouse/proto/certificate-authority';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  issuedOf,
  newKey,
  refused,
} from '../../support/enrollment.ts';
import { startTestCore, unary } from '../../support/running-core.ts';

const profile = `
name: approved-server
description: A server that a person has to know
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }] }
names: { allowed: [dns], atLeastOne: true }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
validity: { default: 30d, maximum: 90d }
approval: required
`;

const core = await startTestCore([], { files: { 'profiles/approved-server.yaml': profile } });
after(() => core.stop());
const registration = { profiles: ['approved-server'], dns: ['example.com'], subject: ['CN=*'] };
const credential = await core.addRegistrationAuthority({ name: 'gate', ...registration });
const { authority: gate } = core.connect(credential);

const request = (subject = 'CN=a.example.com', changes: Parameters<typeof enrollRequest>[1] = {}) =>
  enrollRequest(certificationRequest({ subject, names: ['DNS:a.example.com'] }), {
    profile: 'approved-server',
    ...changes,
  });

async function pend(asked = request(), client = gate): Promise<string> {
  const { outcome, requestId } = await enroll(client, asked);
  assert.equal(outcome?.$case, 'pending');
  return requestId;
}

const poll = (requestId: string, client: CertificateAuthorityClient = gate) =>
  unary<EnrollResponse>((callback) => client.getEnrollment({ requestId }, callback));

const approve = (requestId: string, reason = 'I know it', administration = core.operator.administration) =>
  unary<EnrollResponse>((callback) => administration.approveEnrollment({ requestId, reason }, callback));

const reject = (requestId: string, reason = 'nobody knows it', administration = core.operator.administration) =>
  unary<RejectEnrollmentResponse>((callback) => administration.rejectEnrollment({ requestId, reason }, callback));

const waiting = async () =>
  (
    await unary<ListPendingEnrollmentsResponse>((callback) =>
      core.operator.administration.listPendingEnrollments({}, callback),
    )
  ).enrollments;

describe('an enrollment of a profile that wants approval', () => {
  it('waits, says for how long, and is shown to operators', async () => {
    const { outcome, requestId, isRepeated } = await enroll(gate, request());
    assert.equal(isRepeated, false);
    assert.ok(outcome?.$case === 'pending' && outcome.value.retryAfterSeconds > 0);
    const shown = (await waiting()).find((each) => each.requestId === requestId);
    assert.deepEqual(
      [shown?.profile, shown?.registrationAuthority, shown?.requester?.id, shown?.subject, shown?.names],
      ['approved-server', 'gate', 'demo', 'CN=a.example.com', [{ name: { $case: 'dns', value: 'a.example.com' } }]],
    );
    const [event] = await auditEvents(core, { action: 'enrollment-pending', limit: 1 });
    assert.ok(event?.body.includes(requestId));
  });

  it('still waits when it is polled or asked for again', async () => {
    const asked = request();
    const requestId = await pend(asked);
    for (const answer of [await poll(requestId), await enroll(gate, asked)]) {
      assert.deepEqual([answer.requestId, answer.outcome?.$case, answer.isRepeated], [requestId, 'pending', true]);
    }
  });

  it('does not wait when the rules refuse it anyway', async () => {
    const outside = enrollRequest(certificationRequest({ names: ['DNS:evil.test'] }), { profile: 'approved-server' });
    await refused(enroll(gate, outside), 'out-of-scope', /evil/);
  });

  it('survives a restart while it waits', async () => {
    const asked = request();
    const requestId = await pend(asked, core.connect(credential).authority);
    await core.restart();
    const { authority } = core.connect(credential);
    await approve(requestId);
    assert.equal((await enroll(authority, asked)).outcome?.$case, 'issued');
  });
});

describe('approved', () => {
  it('it is issued to the operator’s eyes, to polls and to the same idempotency key alike', async () => {
    const { authority } = core.connect(credential);
    const asked = request('CN=approved');
    const requestId = await pend(asked, authority);
    const approved = await approve(requestId);
    const issued = issuedOf(approved);
    assert.equal(approved.requestId, requestId);
    assert.equal(formatName(readCertificate(issued.certificate).subject), 'CN=approved');
    assert.deepEqual(issuedOf(await poll(requestId, authority)), issued);
    const again = await enroll(authority, asked);
    assert.deepEqual([again.isRepeated, issuedOf(again)], [true, issued]);
    assert.ok(!(await waiting()).some((each) => each.requestId === requestId));
  });

  it('who approved it and why is in the audit log, beside the certificate', async () => {
    const { authority } = core.connect(credential);
    const issued = issuedOf(await approve(await pend(request(), authority), 'seen its papers'));
    const events = await auditEvents(core, { serialNumber: issued.serialNumber });
    assert.deepEqual(events.map(({ action, actor, outcome }) => [action, actor, outcome]).sort(), [
      ['certificate-issued', 'spiffe://gatehouse.internal/operator/admin', 'success'],
      ['enrollment-approved', 'spiffe://gatehouse.internal/operator/admin', 'success'],
    ]);
    assert.ok(events.some(({ body }) => body.includes('seen its papers')));
    assert.deepEqual([...new Set(events.map((event) => event.registrationAuthority))], ['gate']);
  });

  it('it is judged again: what became forbidden meanwhile is refused, audited, and goes on waiting', async () => {
    const { authority } = core.connect(credential);
    const key = newKey();
    const csr = certificationRequest({ key, names: ['DNS:a.example.com'] });
    const requestId = await pend(enrollRequest(csr, { profile: 'approved-server' }), authority);
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    await unary((callback) =>
      core.operator.administration.blockKey({ key: spki, reason: 'found on a rubbish heap' }, callback),
    );
    await refused(approve(requestId), 'bad-key', /blocked/);
    const [event] = await auditEvents(core, { action: 'enrollment-refused', limit: 1 });
    assert.deepEqual(
      [event?.actor, event?.registrationAuthority, event?.outcome],
      ['spiffe://gatehouse.internal/operator/admin', 'gate', 'bad-key'],
    );
    assert.equal((await poll(requestId, authority)).outcome?.$case, 'pending');
    await reject(requestId);
  });

  it('it is refused when its RA was disabled meanwhile', async () => {
    const passing = await core.joinRegistrationAuthority({ name: 'passing', ...registration });
    const requestId = await pend(request(), passing);
    await unary<RegistrationAuthority>((callback) =>
      core.operator.administration.disableRegistrationAuthority({ name: 'passing' }, callback),
    );
    await refused(approve(requestId), 'unauthorized', /passing/);
  });
});

describe('rejected', () => {
  it('the reason reaches whoever polls or asks again', async () => {
    const { authority } = core.connect(credential);
    const asked = request();
    const requestId = await pend(asked, authority);
    await reject(requestId, 'not one of ours');
    await refused(poll(requestId, authority), 'profile-refuses', /not one of ours/);
    await refused(enroll(authority, asked), 'profile-refuses', /not one of ours/);
    const [event] = await auditEvents(core, { action: 'enrollment-rejected', limit: 1 });
    assert.ok(event?.body.includes('not one of ours'));
    assert.equal(event?.registrationAuthority, 'gate');
  });
});

describe('a decision is made once', () => {
  it('approved twice, or rejected after it, is a conflict', async () => {
    const requestId = await pend(request(), core.connect(credential).authority);
    await approve(requestId);
    await refused(approve(requestId), 'conflict', /issued/);
    await refused(reject(requestId), 'conflict', /issued/);
  });

  it('approved after it was rejected is a conflict', async () => {
    const requestId = await pend(request(), core.connect(credential).authority);
    await reject(requestId);
    await refused(approve(requestId), 'conflict', /rejected/);
  });

  it('by two at the same time, one certificate comes of it', async () => {
    const requestId = await pend(request('CN=contested'), core.connect(credential).authority);
    const outcomes = await Promise.allSettled([approve(requestId), approve(requestId), reject(requestId)]);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'conflict');
  });

  it('one for an enrollment that does not exist is not found', async () => {
    await refused(approve(newRequestId()), 'not-found');
    await refused(reject('nonsense'), 'not-found');
  });

  it('its reason has at most 256 octets', async () => {
    const requestId = await pend(request(), core.connect(credential).authority);
    await refused(reject(requestId, 'ä'.repeat(129)), 'malformed', /256/);
    await reject(requestId, 'ä'.repeat(128));
  });
});

describe('ARCHITECTURE §1.2: an RA cannot approve what it asked for', () => {
  it('neither approve nor reject nor list', async () => {
    const { authority, administration } = core.connect(credential);
    const requestId = await pend(request(), authority);
    await refused(approve(requestId, 'myself', administration), 'unauthorized');
    await refused(reject(requestId, 'myself', administration), 'unauthorized');
    await refused(
      unary((callback) => administration.listPendingEnrollments({}, callback)),
      'unauthorized',
    );
    assert.equal((await poll(requestId, authority)).outcome?.$case, 'pending');
  });

  it('nor see what another RA asked for', async () => {
    const requestId = await pend(request(), core.connect(credential).authority);
    const curious = await core.joinRegistrationAuthority({ name: 'curious', ...registration });
    const ofAnother = await refused(poll(requestId, curious), 'not-found');
    const ofNobody = await refused(poll(newRequestId(), curious), 'not-found');
    assert.equal(ofAnother.detail, ofNobody.detail);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
