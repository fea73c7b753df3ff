// Looking certificates up: by what they say, page by page, and never what is another RA's.
import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import {
  type CertificateAuthorityClient,
  FindCertificatesRequest,
  type GetCertificateRequest,
  type RevokeResponse,
} from '@gatehouse/proto/certificate-authority';
import { type CertificateRecord, CertificateState, RevocationReason } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { issue as issueForeign } from '../evidence/build-chain.ts';
import {
  assertAuditHolds,
  certificationRequest,
  collect,
  enrollRequest,
  issue,
  newKey,
  refused,
  requester,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const clock = createManualClock(new Date());
const core = await startTestCore([], { clock });
after(() => core.stop());
const profiles = ['tls-server', 'tls-client'];
const scope = { dns: ['example.com'], ip: ['*'], email: ['*'], subject: ['*'] };
const gate = await core.joinRegistrationAuthority({ name: 'gate', profiles, ...scope });
const other = await core.joinRegistrationAuthority({ name: 'other', profiles, ...scope });
const operator = core.operator.authority;

type Conditions = Parameters<typeof FindCertificatesRequest.fromPartial>[0];

async function find(conditions: Conditions, client: CertificateAuthorityClient = gate) {
  return await collect<CertificateRecord>(client.findCertificates(FindCertificatesRequest.fromPartial(conditions)));
}

/** Serial numbers of what is found, newest first. */
async function serials(conditions: Conditions, client: CertificateAuthorityClient = gate): Promise<readonly string[]> {
  return (await find(conditions, client)).map(({ serialNumber }) => serialNumber);
}

function obtain(names: readonly string[], changes: Parameters<typeof enrollRequest>[1] = {}, client = gate) {
  clock.advance(1000);
  return issue(client, enrollRequest(certificationRequest({ names }), changes));
}

const get = (selector: GetCertificateRequest['selector'], client: CertificateAuthorityClient = gate) =>
  unary<CertificateRecord>((callback) => client.getCertificate({ selector }, callback));

describe('finding certificates', () => {
  it('by a name, in any case', async () => {
    const { serialNumber } = await obtain(['DNS:by-name.example.com', 'IP:192.0.2.77']);
    assert.deepEqual(await serials({ name: 'BY-NAME.example.com' }), [serialNumber]);
    assert.deepEqual(await serials({ name: '192.0.2.77' }), [serialNumber]);
    assert.deepEqual(await serials({ name: 'y-name.example.com' }), []);
  });

  it('by key, requester and profile', async () => {
    const key = newKey();
    const fingerprint = createHash('sha256')
      .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
      .digest();
    clock.advance(1000);
    const asked = { profile: 'tls-client', requester: { ...requester, id: 'alice' } };
    const csr = certificationRequest({ key, names: ['email:alice@example.com'] });
    const { serialNumber } = await issue(gate, enrollRequest(csr, asked));
    assert.deepEqual(await serials({ keyFingerprint: fingerprint }), [serialNumber]);
    assert.deepEqual(await serials({ requesterId: 'alice' }), [serialNumber]);
    assert.deepEqual(await serials({ profile: 'tls-client' }), [serialNumber]);
    assert.deepEqual(await serials({ requesterId: 'alice', profile: 'tls-server' }), []);
  });

  it('by state', async () => {
    const name = 'by-state.example.com';
    const made: Record<string, string> = {};
    for (const state of ['valid', 'revoked', 'held'])
      made[state] = (await obtain([`DNS:${name}`], { validity: { seconds: 3600, nanos: 0 } })).serialNumber;
    const revoke = (serialNumber: string, reason: RevocationReason) =>
      unary<RevokeResponse>((callback) =>
        gate.revoke({ serialNumber, reason, invalidityDate: undefined, requester }, callback),
      );
    await revoke(made.revoked ?? '', RevocationReason.REVOCATION_REASON_SUPERSEDED);
    await revoke(made.held ?? '', RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_VALID }), [made.valid]);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_REVOKED }), [made.revoked]);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_HELD }), [made.held]);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_EXPIRED }), []);
    clock.advance(3_700_000);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_EXPIRED }), [made.valid]);
    assert.deepEqual(await serials({ name, state: CertificateState.CERTIFICATE_STATE_VALID }), []);
    assert.equal(
      (await get({ $case: 'serialNumber', value: made.valid ?? '' })).state,
      CertificateState.CERTIFICATE_STATE_EXPIRED,
    );
    await refused(find({ state: 99 as CertificateState }), 'malformed', /state/);
  });

  it('by when they were issued and when they end', async () => {
    const name = 'by-time.example.com';
    const hours = (count: number) => ({ validity: { seconds: 3600 * count, nanos: 0 } });
    const early = await obtain([`DNS:${name}`], hours(2));
    clock.advance(1);
    const between = clock.now();
    const late = await obtain([`DNS:${name}`], hours(10));
    const limit = new Date(clock.now().getTime() + 5 * 3_600_000);
    assert.deepEqual(await serials({ name, issuedAfter: between }), [late.serialNumber]);
    assert.deepEqual(await serials({ name, expiresBefore: limit }), [early.serialNumber]);
    assert.deepEqual(await serials({ name, expiresAfter: limit }), [late.serialNumber]);
  });

  it('page by page, newest first, without a gap and without a repetition', async () => {
    const name = 'paged.example.com';
    const made: string[] = [];
    for (let index = 0; index < 7; index++) made.unshift((await obtain([`DNS:${name}`])).serialNumber);
    const pages: string[] = [];
    for (let page = await serials({ name, limit: 3 }); page.length > 0; ) {
      pages.push(...page);
      page = await serials({ name, limit: 3, afterSerialNumber: page.at(-1)?.toUpperCase() ?? '' });
    }
    assert.deepEqual(pages, made);
    assert.deepEqual(await serials({ name }), made);
  });

  it('page by page also when many were issued in the same millisecond', async () => {
    const name = 'burst.example.com';
    const csrs = Array.from({ length: 20 }, () => certificationRequest({ names: [`DNS:${name}`] }));
    const made = await Promise.all(csrs.map((csr) => issue(gate, enrollRequest(csr))));
    const seen: string[] = [];
    for (let page = await serials({ name, limit: 6 }); page.length > 0; ) {
      seen.push(...page);
      page = await serials({ name, limit: 6, afterSerialNumber: page.at(-1) ?? '' });
    }
    assert.deepEqual([...seen].sort(), made.map(({ serialNumber }) => serialNumber).sort());
  });

  it('after a serial number that is none is malformed', async () => {
    await refused(find({ afterSerialNumber: 'nonsense' }), 'malformed', /hexadecimal/);
  });

  it('a name in SQL’s own words finds nothing', async () => {
    assert.deepEqual(await serials({ name: "' OR 1=1 --" }), []);
    assert.deepEqual(await serials({ name: '%' }), []);
  });
});

describe('what an RA sees', () => {
  it('is its own, whatever it asks for; an operator sees all', async () => {
    const name = 'shared.example.com';
    const mine = await obtain([`DNS:${name}`]);
    const theirs = await obtain([`DNS:${name}`], {}, other);
    assert.deepEqual(await serials({ name }), [mine.serialNumber]);
    assert.deepEqual(await serials({ name, registrationAuthority: 'other' }), [mine.serialNumber]);
    assert.deepEqual(await serials({ name }, operator), [theirs.serialNumber, mine.serialNumber]);
    assert.deepEqual(await serials({ name, registrationAuthority: 'other' }, operator), [theirs.serialNumber]);
  });

  it('by serial number is its own, and what is another’s is like nothing at all', async () => {
    const theirs = await obtain(['DNS:theirs.example.com'], {}, other);
    const hidden = await refused(get({ $case: 'serialNumber', value: theirs.serialNumber }), 'not-found');
    const nothing = await refused(get({ $case: 'serialNumber', value: '4a'.repeat(18) }), 'not-found');
    assert.equal(hidden.detail, nothing.detail);
    assert.equal(
      (await get({ $case: 'serialNumber', value: theirs.serialNumber }, operator)).registrationAuthority,
      'other',
    );
  });

  it('by certificate is whatever it can show, octet for octet', async () => {
    const theirs = await obtain(['DNS:theirs.example.com'], {}, other);
    const record = await get({ $case: 'certificate', value: theirs.certificate });
    assert.deepEqual(
      [record.serialNumber, record.certificate, record.authority, record.profile, record.registrationAuthority],
      [theirs.serialNumber, theirs.certificate, 'issuing', 'tls-server', 'other'],
    );
    assert.deepEqual(record.names, [{ name: { $case: 'dns', value: 'theirs.example.com' } }]);
    const forged = Buffer.from(theirs.certificate);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    await refused(get({ $case: 'certificate', value: forged }), 'not-found');
    const foreign = Buffer.from(issueForeign('CN=somebody').certificate.der);
    await refused(get({ $case: 'certificate', value: foreign }), 'not-found');
  });

  it('a selector that is none is malformed', async () => {
    await refused(get(undefined), 'malformed');
    await refused(get({ $case: 'serialNumber', value: 'nonsense' }), 'malformed', /hexadecimal/);
    await refused(get({ $case: 'certificate', value: Buffer.from('nonsense') }), 'malformed', /cannot be read/);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
