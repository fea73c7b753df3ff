// ARCHITECTURE §1.4, exactly once: one idempotency key, one certificate, whenever and however often it is asked for.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { CertificateAuthorityClient, EnrollRequest } from '@gatehouse/proto/certificate-authority';
import type { CertificateRecord } from '@gatehouse/proto/types';
import {
  assertAuditHolds,
  assignment,
  auditEvents,
  certificationRequest,
  collect,
  enroll,
  enrollRequest,
  issue,
  issuedOf,
  newKey,
  refused,
  requester,
} from '../../support/enrollment.ts';
import { startTestCore } from '../../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const registration = { profiles: ['tls-server', 'tls-client', 'sub-ca'], dns: ['example.com'], subject: ['*'] };
const credential = await core.addRegistrationAuthority({ name: 'gate', ...registration });
const gate = core.connect(credential).authority;

let count = 0;

/** A request for a name that no other test uses. */
function fresh(changes: Parameters<typeof enrollRequest>[1] = {}): EnrollRequest & { readonly host: string } {
  count += 1;
  const host = `host-${count}.example.com`;
  return { ...enrollRequest(certificationRequest({ names: [`DNS:${host}`] }), changes), host };
}

function recordsOf(client: CertificateAuthorityClient, name: string): Promise<readonly CertificateRecord[]> {
  return collect(
    client.findCertificates({
      name,
      profile: '',
      registrationAuthority: '',
      requesterId: '',
      state: 0,
      expiresBefore: undefined,
      expiresAfter: undefined,
      issuedAfter: undefined,
      keyFingerprint: Buffer.alloc(0),
      limit: 0,
      afterSerialNumber: '',
    }),
  );
}

describe('the same idempotency key and the same content', () => {
  it('get the same answer, which says that it is repeated', async () => {
    const request = fresh();
    const first = await enroll(gate, request);
    const second = await enroll(gate, request);
    assert.deepEqual([first.isRepeated, second.isRepeated], [false, true]);
    assert.deepEqual({ ...second, isRepeated: false }, first);
    assert.equal((await recordsOf(gate, request.host)).length, 1);
  });

  it('get one certificate when a hundred ask at the same time', async () => {
    const request = fresh();
    const answers = await Promise.all(Array.from({ length: 100 }, () => enroll(gate, request)));
    assert.equal(new Set(answers.map((answer) => issuedOf(answer).serialNumber)).size, 1);
    assert.equal(answers.filter(({ isRepeated }) => !isRepeated).length, 1);
    assert.equal((await recordsOf(gate, request.host)).length, 1);
    assert.equal(
      (await auditEvents(core, { serialNumber: issuedOf(answers[0] ?? assert.fail()).serialNumber })).length,
      1,
    );
  });

  it('get the same answer after a restart', async () => {
    const request = fresh();
    const before = await enroll(gate, request);
    await core.restart();
    const after = await enroll(core.connect(credential).authority, request);
    assert.deepEqual(after, { ...before, isRepeated: true });
  });

  it('get the same answer from another address, and when the requester is called otherwise', async () => {
    const client = core.connect(credential).authority;
    const request = fresh();
    const before = await issue(client, request);
    const moved = { ...request, requester: { ...requester, address: '198.51.100.9', display: 'Somebody' } };
    assert.equal((await issue(client, moved)).serialNumber, before.serialNumber);
  });
});

describe('the same idempotency key and other content is a conflict', () => {
  const base = fresh();
  const anotherKey = certificationRequest({ key: newKey(), names: [`DNS:${base.host}`] });
  const changes: Readonly<Record<string, Partial<EnrollRequest>>> = {
    'another request': { subjectKey: { $case: 'certificationRequest', value: anotherKey } },
    'another profile': { profile: 'tls-client' },
    'other names': { names: assignment([`DNS:${base.host}`]) },
    'another validity': { validity: { seconds: 3600, nanos: 0 } },
    'another requester': { requester: { ...requester, id: 'mallory' } },
    'a certificate to renew': { renews: Buffer.from('3000', 'hex') },
    'a change of names': { changesNames: true },
    'another beginning': { notBefore: new Date(0) },
    'another end': { notAfter: new Date(0) },
    evidence: {
      evidence: [{ type: 'client-certificate-chain', payload: Buffer.alloc(1), certificates: [], statements: [] }],
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(what, async () => {
      const client = core.connect(credential).authority;
      await issue(client, base);
      await refused(enroll(client, { ...base, ...change }), 'conflict', /idempotency key/);
    });
  }

  it('the same octets as other evidence', async () => {
    const client = core.connect(credential).authority;
    const [x, y, z] = ['x', 'y', 'z'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
    const one = [{ type: 'x', payload: y, certificates: [z, x, y], statements: [] }];
    const two = [
      { type: 'x', payload: y, certificates: [z], statements: [] },
      { type: 'x', payload: y, certificates: [], statements: [] },
    ];
    const request = fresh({ evidence: one });
    await issue(client, request);
    await refused(enroll(client, { ...request, evidence: two }), 'conflict');
  });

  it('also while the first is being decided', async () => {
    const client = core.connect(credential).authority;
    const request = fresh();
    const outcomes = await Promise.allSettled([
      enroll(client, request),
      enroll(client, { ...request, changesNames: true }),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
  });
});

describe('an idempotency key is its RA’s own', () => {
  it('two RAs with the same key get a certificate each', async () => {
    const client = core.connect(credential).authority;
    const stranger = await core.joinRegistrationAuthority({ name: 'stranger', ...registration });
    const request = fresh();
    const [one, two] = [await enroll(client, request), await enroll(stranger, request)];
    assert.notEqual(issuedOf(one).serialNumber, issuedOf(two).serialNumber);
    assert.equal(two.isRepeated, false);
  });
});

describe('a refusal is not remembered', () => {
  it('what was refused may be asked again with the same key, also with other content', async () => {
    const client = core.connect(credential).authority;
    const request = fresh();
    const outside = { ...request, names: assignment(['DNS:elsewhere.test']) };
    await refused(enroll(client, outside), 'out-of-scope');
    await refused(enroll(client, outside), 'out-of-scope');
    assert.equal((await enroll(client, request)).isRepeated, false);
  });

  it('many at once are all refused, and each is audited', async () => {
    const client = core.connect(credential).authority;
    const before = (await auditEvents(core, { action: 'enrollment-refused' })).length;
    const request = fresh({ profile: 'nonsense' });
    await Promise.all(Array.from({ length: 5 }, () => refused(enroll(client, request), 'profile-unknown')));
    assert.equal((await auditEvents(core, { action: 'enrollment-refused' })).length, before + 5);
  });
});

describe('an answer that waits for a person is an answer', () => {
  it('is the same when it is asked for again', async () => {
    const client = core.connect(credential).authority;
    const request = enrollRequest(certificationRequest({ subject: 'CN=Site CA' }), { profile: 'sub-ca' });
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => enroll(client, request)));
    assert.ok(first);
    assert.equal(first.outcome?.$case, 'pending');
    for (const { requestId } of [...others, await enroll(client, request)]) assert.equal(requestId, first.requestId);
    assert.equal((await auditEvents(core, { action: 'enrollment-pending' })).length, 1);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
