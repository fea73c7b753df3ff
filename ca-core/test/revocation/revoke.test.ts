// RFC 5280 §5.3.1: why a certificate does not stand, who may say so, and how often.
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import {
  type CertificateAuthorityClient,
  FindCertificatesRequest,
  type RevokeRequest,
  type RevokeResponse,
} from '@gatehouse/proto/certificate-authority';
import { type CertificateRecord, CertificateState, RevocationReason } from '@gatehouse/proto/types';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  collect,
  enrollRequest,
  issue,
  lastAuditEvent,
  newKey,
  refused,
  requester,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const registration = { profiles: ['tls-server'], dns: ['example.com'] };
const credential = await core.addRegistrationAuthority({ name: 'gate', ...registration });
const gate = core.connect(credential).authority;

const reasons = Object.entries(RevocationReason).filter(([, value]) => value >= 0) as [string, RevocationReason][];
const hold = RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD;
const release = RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;
const superseded = RevocationReason.REVOCATION_REASON_SUPERSEDED;

const obtain = async (): Promise<string> =>
  (await issue(gate, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })))).serialNumber;

/** How many changes of a certificate CRLs and OCSP are told of. */
function changesOf(serialNumber: string): number {
  const database = new DatabaseSync(join(core.directory, 'core.db'), { readOnly: true });
  const changes = database.prepare('select 1 from status_changes where serial_number = ?').all(serialNumber);
  database.close();
  return changes.length;
}

function setStatus(
  serialNumber: string,
  reason: RevocationReason,
  changes: Partial<RevokeRequest> = {},
  client: CertificateAuthorityClient = gate,
): Promise<CertificateRecord> {
  const request: RevokeRequest = { serialNumber, reason, invalidityDate: undefined, requester, ...changes };
  return unary<RevokeResponse>((callback) => client.revoke(request, callback)).then(
    ({ certificate }) => certificate ?? assert.fail('the record is missing'),
  );
}

const recordOf = (serialNumber: string, client: CertificateAuthorityClient = gate) =>
  unary<CertificateRecord>((callback) =>
    client.getCertificate({ selector: { $case: 'serialNumber', value: serialNumber } }, callback),
  );

describe('revoking for good', () => {
  for (const [name, reason] of reasons.filter(([, value]) => value !== hold && value !== release)) {
    it(`for ${name.replace('REVOCATION_REASON_', '')}`, async () => {
      const serialNumber = await obtain();
      const record = await setStatus(serialNumber, reason);
      assert.deepEqual([record.state, record.revocation?.reason], [CertificateState.CERTIFICATE_STATE_REVOKED, reason]);
      assert.deepEqual(await recordOf(serialNumber), record);
      assert.equal(record.revocation?.actor, 'spiffe://gatehouse.internal/ra/gate');
      const event = await lastAuditEvent(core);
      assert.deepEqual(
        [event.action, event.serialNumber, event.registrationAuthority, event.requester, event.outcome],
        ['status-changed', serialNumber, 'gate', 'user:demo', 'success'],
      );
      assert.equal(JSON.parse(event.body).reason, reason);
    });
  }

  it('CORE.md, Audit: is on record as asked for and as done, by whom it was asked', async () => {
    const serialNumber = await obtain();
    await setStatus(serialNumber, superseded);
    await refused(setStatus(serialNumber, hold), 'already-revoked');
    const events = await auditEvents(core, { serialNumber });
    assert.deepEqual(
      events.filter(({ action }) => action.startsWith('status-')).map(({ action, outcome }) => [action, outcome]),
      [
        ['status-change-requested', 'already-revoked'],
        ['status-changed', 'success'],
        ['status-change-requested', 'success'],
      ],
    );
    assert.ok(events.every(({ actor }) => actor === 'spiffe://gatehouse.internal/ra/gate'));
  });

  it('a second time is already-revoked, and the first reason stays', async () => {
    const serialNumber = await obtain();
    const first = await setStatus(serialNumber, superseded);
    await refused(setStatus(serialNumber, RevocationReason.REVOCATION_REASON_UNSPECIFIED), 'already-revoked');
    await refused(setStatus(serialNumber, hold), 'already-revoked');
    assert.deepEqual(await recordOf(serialNumber), first);
    assert.equal(changesOf(serialNumber), 1);
  });

  it('by ten at the same time happens once', async () => {
    const serialNumber = await obtain();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => setStatus(serialNumber, superseded)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await auditEvents(core, { action: 'status-changed', serialNumber })).length, 1);
    assert.equal(changesOf(serialNumber), 1);
  });

  it('survives a restart', async () => {
    const serialNumber = await obtain();
    const before = await setStatus(serialNumber, superseded);
    await core.restart();
    assert.deepEqual(await recordOf(serialNumber, core.connect(credential).authority), before);
  });
});

describe('a hold', () => {
  const client = () => core.connect(credential).authority;
  const obtainNow = async () =>
    (await issue(client(), enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })))).serialNumber;

  it('is released, and may be put again', async () => {
    const serialNumber = await obtainNow();
    for (let again = 0; again < 2; again++) {
      const held = await setStatus(serialNumber, hold, {}, client());
      assert.deepEqual([held.state, held.revocation?.reason], [CertificateState.CERTIFICATE_STATE_HELD, hold]);
      const released = await setStatus(serialNumber, release, {}, client());
      assert.deepEqual([released.state, released.revocation], [CertificateState.CERTIFICATE_STATE_VALID, undefined]);
    }
  });

  it('twice is already-revoked', async () => {
    const serialNumber = await obtainNow();
    await setStatus(serialNumber, hold, {}, client());
    await refused(setStatus(serialNumber, hold, {}, client()), 'already-revoked', /on hold/);
  });

  it('may become a revocation for good, which cannot be released', async () => {
    const serialNumber = await obtainNow();
    await setStatus(serialNumber, hold, {}, client());
    const revoked = await setStatus(serialNumber, superseded, {}, client());
    assert.equal(revoked.state, CertificateState.CERTIFICATE_STATE_REVOKED);
    await refused(setStatus(serialNumber, release, {}, client()), 'conflict', /not on hold/);
  });

  it('of an operator is not for the RA to release, but may become its revocation for good', async () => {
    const serialNumber = await obtainNow();
    await setStatus(serialNumber, hold, {}, core.operator.authority);
    await refused(setStatus(serialNumber, release, {}, client()), 'out-of-scope', /somebody else/);
    assert.equal((await recordOf(serialNumber, client())).state, CertificateState.CERTIFICATE_STATE_HELD);
    const revoked = await setStatus(serialNumber, superseded, {}, client());
    assert.equal(revoked.state, CertificateState.CERTIFICATE_STATE_REVOKED);
  });

  it('of an RA may be released by an operator', async () => {
    const serialNumber = await obtainNow();
    await setStatus(serialNumber, hold, {}, client());
    const released = await setStatus(serialNumber, release, {}, core.operator.authority);
    assert.equal(released.state, CertificateState.CERTIFICATE_STATE_VALID);
  });

  it('that is none cannot be released', async () => {
    await refused(setStatus(await obtainNow(), release, {}, client()), 'conflict', /not on hold/);
  });
});

describe('RFC 5280 §5.3.1, keyCompromise: the key is lost', () => {
  const compromise = RevocationReason.REVOCATION_REASON_KEY_COMPROMISE;
  const enrollWith = (key: KeyObject) =>
    issue(
      core.connect(credential).authority,
      enrollRequest(certificationRequest({ key, names: ['DNS:a.example.com'] })),
    );

  for (const before of [[], [hold], [hold, release]] as const) {
    const history = before.map((reason) => (reason === hold ? 'on hold' : 'released')).join(', ') || 'valid';
    it(`and is never certified again; the certificate was ${history}`, async () => {
      const key = newKey();
      const { serialNumber } = await enrollWith(key);
      for (const reason of before) await setStatus(serialNumber, reason, {}, core.operator.authority);
      await setStatus(serialNumber, compromise, {}, core.operator.authority);
      await refused(enrollWith(key), 'bad-key', /blocked/);
    });
  }

  it('but not for any other reason, nor when the certificate was revoked already', async () => {
    const key = newKey();
    const { serialNumber } = await enrollWith(key);
    await setStatus(serialNumber, superseded, {}, core.operator.authority);
    await refused(setStatus(serialNumber, compromise, {}, core.operator.authority), 'already-revoked');
    await enrollWith(key);
  });
});

describe('what is no request to revoke', () => {
  const client = () => core.connect(credential).authority;
  const anySerial = '4a'.repeat(18);

  for (const reason of [7, 11, 255, -1]) {
    it(`RFC 5280 §5.3.1: reason ${reason} does not exist`, async () => {
      await refused(setStatus(anySerial, reason as RevocationReason, {}, client()), 'malformed', /5\.3\.1/);
    });
  }

  for (const serialNumber of ['', 'xyz', '0x4a', '4a 4a', 'a'.repeat(43)]) {
    it(`the serial number ${JSON.stringify(serialNumber)} is none`, async () => {
      await refused(setStatus(serialNumber, superseded, {}, client()), 'malformed', /hexadecimal/);
    });
  }

  it('a serial number that nobody has is not found', async () => {
    await refused(setStatus(anySerial, superseded, {}, client()), 'not-found');
  });

  it('RFC 5280 §5.3.2: an invalidity date lies neither in the future nor before 1970', async () => {
    const ra = client();
    const { serialNumber } = await issue(ra, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
    const invalidityDate = new Date(Date.now() + 3_600_000);
    await refused(setStatus(serialNumber, superseded, { invalidityDate }, ra), 'malformed', /future/);
    // What no GeneralizedTime can say would stand in the way of every CRL.
    for (const early of [new Date(-1), new Date(Date.UTC(-1, 0)), new Date(-8.64e15)]) {
      await refused(setStatus(serialNumber, superseded, { invalidityDate: early }, ra), 'malformed', /before 1970/);
    }
    const past = new Date(Date.now() - 3_600_000);
    const record = await setStatus(serialNumber, superseded, { invalidityDate: past }, ra);
    assert.deepEqual(record.revocation?.invalidityDate, past);
  });
});

describe('who may', () => {
  it('an RA may only touch what it enrolled, and the attempt is audited', async () => {
    const stranger = await core.joinRegistrationAuthority({ name: 'stranger', ...registration });
    const ra = core.connect(credential).authority;
    const { serialNumber } = await issue(ra, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
    for (const reason of [superseded, hold, release]) {
      await refused(setStatus(serialNumber, reason, {}, stranger), 'out-of-scope', /another RA/);
    }
    const [event] = await auditEvents(core, { action: 'status-change-requested', serialNumber, limit: 1 });
    assert.deepEqual(
      [event?.actor, event?.outcome, event?.registrationAuthority],
      ['spiffe://gatehouse.internal/ra/stranger', 'out-of-scope', 'gate'],
    );
    assert.equal((await recordOf(serialNumber, ra)).state, CertificateState.CERTIFICATE_STATE_VALID);
  });

  it('an operator may touch any', async () => {
    const ra = core.connect(credential).authority;
    const { serialNumber } = await issue(ra, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
    const spelled = `00${serialNumber.toUpperCase()}`;
    const record = await setStatus(spelled, superseded, {}, core.operator.authority);
    assert.equal(record.revocation?.actor, 'spiffe://gatehouse.internal/operator/admin');
    assert.equal((await recordOf(spelled, core.operator.authority)).serialNumber, serialNumber);
  });

  it('an RA cannot lift a hold from a credential: that would let it back in by itself', async () => {
    const held = await core.addRegistrationAuthority({ name: 'held', ...registration });
    const { authority } = core.connect(held);
    const own = await collect(authority.findCertificates(FindCertificatesRequest.fromPartial({})));
    const serialNumber = own[0]?.serialNumber ?? assert.fail('it has no credential');
    await refused(setStatus(serialNumber, hold, {}, authority), 'out-of-scope', /operators/);
    await refused(setStatus(serialNumber, release, {}, authority), 'out-of-scope', /operators/);
    await setStatus(serialNumber, hold, {}, core.operator.authority);
    await refused(setStatus(serialNumber, release, {}, authority), 'unauthorized', /revoked/);
    await setStatus(serialNumber, release, {}, core.operator.authority);
    await setStatus(serialNumber, RevocationReason.REVOCATION_REASON_KEY_COMPROMISE, {}, authority);
    await refused(setStatus(serialNumber, hold, {}, authority), 'unauthorized', /revoked/);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
