// Issue 3, bulk revocation as operators ask for it: by conditions, counted first, watched, repeated, stopped.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import {
  type BulkRevocation,
  BulkRevocationQuery,
  BulkRevocationState,
  type ListBulkRevocationsResponse,
  type StartBulkRevocationRequest,
} from '@gatehouse/proto/administration';
import { type CertificateRecord, CertificateState, RequesterKind, RevocationReason } from '@gatehouse/proto/types';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  collect,
  enrollRequest,
  issue,
  newKey,
  refused,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const { administration, authority } = core.operator;
const registration = { profiles: ['tls-server', 'tls-client'], dns: ['example.com'] };
const east = await core.joinRegistrationAuthority({ name: 'east', ...registration });
const west = await core.joinRegistrationAuthority({ name: 'west', ...registration });
const superseded = RevocationReason.REVOCATION_REASON_SUPERSEDED;
const compromise = RevocationReason.REVOCATION_REASON_KEY_COMPROMISE;

const lost = newKey();
const named = (id: string) => ({ kind: RequesterKind.REQUESTER_KIND_USER, id, address: '', display: '' });
const obtain = async (ra: typeof east, key: KeyObject, profile: string, id: string): Promise<string> => {
  const request = enrollRequest(certificationRequest({ key, names: ['DNS:a.example.com'] }), { profile });
  return (await issue(ra, { ...request, requester: named(id) })).serialNumber;
};
const certificates = {
  eastServer: await obtain(east, newKey(), 'tls-server', 'ann'),
  eastClient: await obtain(east, lost, 'tls-client', 'ann'),
  westServer: await obtain(west, lost, 'tls-server', 'bob'),
  westServerOfAnn: await obtain(west, newKey(), 'tls-server', 'ann'),
};

function fingerprintOf(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest();
}

let keys = 0;

function start(
  query: Partial<BulkRevocationQuery>,
  changes: Partial<StartBulkRevocationRequest> = {},
): Promise<BulkRevocation> {
  keys += 1;
  const request: StartBulkRevocationRequest = {
    query: BulkRevocationQuery.fromPartial(query),
    reason: superseded,
    invalidityDate: undefined,
    isDryRun: false,
    idempotencyKey: `test-${keys}`,
    ...changes,
  };
  return unary<BulkRevocation>((callback) => administration.startBulkRevocation(request, callback));
}

const dryRun = (query: Partial<BulkRevocationQuery>, changes: Partial<StartBulkRevocationRequest> = {}) =>
  start(query, { isDryRun: true, idempotencyKey: '', ...changes });

const watch = (id: string) => collect(administration.watchBulkRevocation({ id }));

const list = async () =>
  (await unary<ListBulkRevocationsResponse>((callback) => administration.listBulkRevocations({}, callback))).jobs;

const recordOf = (serialNumber: string) =>
  unary<CertificateRecord>((callback) =>
    authority.getCertificate({ selector: { $case: 'serialNumber', value: serialNumber } }, callback),
  );

describe('a dry run', () => {
  const { eastServer, eastClient, westServer, westServerOfAnn } = certificates;
  const rows: readonly (readonly [string, Partial<BulkRevocationQuery>, readonly string[]])[] = [
    ['the profile', { profile: 'tls-client' }, [eastClient]],
    ['the RA, but not its credential', { registrationAuthority: 'east' }, [eastServer, eastClient]],
    ['the requester', { requesterId: 'ann' }, [eastServer, eastClient, westServerOfAnn]],
    ['the key', { keyFingerprint: fingerprintOf(lost) }, [eastClient, westServer]],
    [
      'several conditions, which must all hold',
      { requesterId: 'ann', registrationAuthority: 'west', profile: 'tls-server' },
      [westServerOfAnn],
    ],
    ['a key and an RA', { keyFingerprint: fingerprintOf(lost), registrationAuthority: 'west' }, [westServer]],
    ['nothing that there is', { profile: 'none' }, []],
  ];
  for (const [name, query, expected] of rows) {
    it(`counts and shows by ${name}`, async () => {
      const { id, matching, examples, changed, passedOver } = await dryRun(query);
      assert.deepEqual([...examples].sort(), [...expected].sort());
      assert.deepEqual([id, matching, changed, passedOver], ['', expected.length, 0, 0]);
    });
  }

  it('counts and shows by the issuing authority and the time of issue, from and up to', async () => {
    const records = await Promise.all(Object.values(certificates).map(recordOf));
    const { issuedAt: issuedAfter } = await recordOf(eastClient);
    const { issuedAt: issuedBefore } = await recordOf(westServerOfAnn);
    assert.ok(issuedAfter !== undefined && issuedBefore !== undefined);
    const query = { authority: 'issuing', issuedAfter, issuedBefore };
    const expected = records.filter(
      ({ issuedAt = issuedBefore }) => issuedAt >= issuedAfter && issuedAt < issuedBefore,
    );
    assert.ok(expected.length > 0);
    const { matching, examples } = await dryRun(query);
    assert.equal(matching, expected.length);
    assert.deepEqual([...examples].sort(), expected.map(({ serialNumber }) => serialNumber).sort());
  });

  it('shows ten at most, and tells how many stand as wanted already', async () => {
    for (let i = 0; i < 11; i++) await obtain(west, newKey(), 'tls-client', 'eve');
    const { matching, examples } = await dryRun({ requesterId: 'eve' });
    assert.deepEqual([matching, examples.length], [11, 10]);
    const release = RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;
    const { passedOver } = await dryRun({ requesterId: 'eve' }, { reason: release });
    assert.equal(passedOver, 11);
  });

  it('changes nothing', async () => {
    for (const serialNumber of Object.values(certificates)) {
      assert.equal((await recordOf(serialNumber)).state, CertificateState.CERTIFICATE_STATE_VALID);
    }
    assert.deepEqual(await list(), []);
    assert.deepEqual(await auditEvents(core, { action: 'bulk-revocation-started' }), []);
  });
});

describe('what is no bulk revocation', () => {
  const day = 86_400_000;
  const rows: readonly (readonly [
    string,
    Partial<BulkRevocationQuery>,
    Partial<StartBulkRevocationRequest>,
    RegExp,
  ])[] = [
    ['no condition', {}, {}, /at least one condition/],
    ['no query', {}, { query: undefined }, /at least one condition/],
    ['the service CA', { authority: 'service' }, {}, /one by one/],
    ['half a fingerprint', { keyFingerprint: Buffer.alloc(16) }, {}, /32 octets/],
    ['a condition without end', { requesterId: 'x'.repeat(257) }, {}, /256 octets/],
    [
      'a time that ends before it begins',
      { issuedAfter: new Date(2 * day), issuedBefore: new Date(day) },
      {},
      /after the one time/,
    ],
    ['RFC 5280 §5.3.1: reason 7', { profile: 'x' }, { reason: 7 as RevocationReason }, /5\.3\.1/],
    ['RFC 5280 §5.3.1: reason 11', { profile: 'x' }, { reason: 11 as RevocationReason }, /5\.3\.1/],
    [
      'RFC 5280 §5.3.2: an invalidity date to come',
      { profile: 'x' },
      { invalidityDate: new Date(Date.now() + day) },
      /future/,
    ],
    [
      'RFC 5280 §5.3.2: an invalidity date that no CRL can hold',
      { profile: 'x' },
      { invalidityDate: new Date(Date.UTC(-1, 0)) },
      /before 1970/,
    ],
    ['no idempotency key', { profile: 'x' }, { idempotencyKey: '' }, /idempotency key/],
    ['an idempotency key without end', { profile: 'x' }, { idempotencyKey: 'x'.repeat(129) }, /idempotency key/],
  ];
  for (const [name, query, changes, detail] of rows) {
    it(`${name} is malformed`, async () => {
      await refused(start(query, changes), 'malformed', detail);
      assert.deepEqual(await list(), []);
    });
  }

  it('a job that nobody started is not found', async () => {
    await refused(watch('none'), 'not-found');
    await refused(
      unary((callback) => administration.stopBulkRevocation({ id: 'none' }, callback)),
      'not-found',
    );
  });
});

describe('a job', () => {
  it('is watched to its end, listed, and lasts', async () => {
    const invalidityDate = new Date(Date.now() - 3_600_000);
    const { eastClient, westServer } = certificates;
    const query = { keyFingerprint: fingerprintOf(lost) };
    const begun = await start(query, { reason: compromise, invalidityDate });
    assert.deepEqual([begun.matching, begun.actor], [2, 'spiffe://gatehouse.internal/operator/admin']);
    assert.deepEqual(begun.query, BulkRevocationQuery.fromPartial(query));
    const last = (await watch(begun.id)).at(-1);
    assert.equal(last?.state, BulkRevocationState.BULK_REVOCATION_STATE_DONE);
    assert.deepEqual([last?.changed, last?.passedOver, last?.examples], [2, 0, []]);
    assert.ok(last?.endedAt !== undefined);

    for (const serialNumber of [eastClient, westServer]) {
      const { revocation } = await recordOf(serialNumber);
      assert.deepEqual([revocation?.reason, revocation?.invalidityDate], [compromise, invalidityDate]);
      const [event, ...more] = await auditEvents(core, { action: 'status-changed', serialNumber });
      assert.deepEqual([event?.actor, event?.outcome, more.length], [begun.actor, 'success', 0]);
      assert.equal(JSON.parse(event?.body ?? '{}').bulkRevocation, begun.id);
    }
    const again = await start({ profile: 'none' });
    await watch(again.id);
    const jobs = await list();
    assert.deepEqual(new Set(jobs.map(({ id }) => id)), new Set([begun.id, again.id]));
    assert.deepEqual(
      jobs.find(({ id }) => id === begun.id),
      last,
    );
  });

  it('CORE.md: whose key is lost cannot get another certificate for it', async () => {
    await refused(obtain(east, lost, 'tls-server', 'ann'), 'bad-key', /blocked/);
  });

  it('ARCHITECTURE §1 rule 4: is started once for an idempotency key', async () => {
    const key = { idempotencyKey: 'once' };
    const query = { registrationAuthority: 'east' };
    const [first, second, third] = await Promise.all([start(query, key), start(query, key), start(query, key)]);
    assert.deepEqual([second?.id, third?.id], [first?.id, first?.id]);
    const [last] = (await watch(first?.id ?? '')).slice(-1);
    assert.deepEqual([last?.matching, last?.changed, last?.passedOver], [2, 1, 1]);
    assert.deepEqual(await start(query, key), last);
    assert.equal((await list()).filter(({ id }) => id === first?.id).length, 1);
    await refused(start({ registrationAuthority: 'west' }, key), 'conflict', /another/);
    await refused(start(query, { ...key, reason: compromise }), 'conflict', /another/);
  });

  it('that is over is not stopped, and stays what it was', async () => {
    const [job] = await list();
    const stopped = await unary<BulkRevocation>((callback) =>
      administration.stopBulkRevocation({ id: job?.id ?? '' }, callback),
    );
    assert.deepEqual(stopped, job);
  });

  it('leaves a chain of audit events that holds', () => assertAuditHolds(core));
});
