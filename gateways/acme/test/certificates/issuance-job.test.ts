// The worker that has orders signed: exactly one certificate an order, whatever breaks in between, and an error that a
// person can act on when there is none. The keep is a double that fails as it is told, and keeps its promise of one answer
// for one idempotency key.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificationRequest, requestedNames } from '@gatehouse/pkix/certification-request';
import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { CoreError, type CoreErrorType } from '@gatehouse/ra-client/core-error';
import type { Enrollment, EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { createManualClock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { AcmeError } from '../../src/errors.ts';
import { type Issuance, newIssuanceLease, startIssuance } from '../../src/issuance-job.ts';
import type { ProblemType } from '../../src/problem.ts';
import type { AcmeProfile } from '../../src/profiles.ts';
import type { Account } from '../../src/state/accounts.ts';
import { insertAuthorization } from '../../src/state/authorizations.ts';
import { readCertificateById } from '../../src/state/certificates.ts';
import { beginIssuance } from '../../src/state/issuance.ts';
import { type NewOrder, type Order, readOrder } from '../../src/state/orders.ts';
import { createIssuer, newRequest, read } from '../support/issuer.ts';
import { openMemoryState, storeAccount, storeOrder } from '../support/memory-state.ts';

const issuer = createIssuer();
const store = await openMemoryState();
const clock = createManualClock(new Date());
const started: Issuance[] = [];
after(async () => {
  for (const issuance of started) await issuance.close();
  await store.close();
});

type Keep = {
  /** Every call. */
  readonly asked: Enrollment[];
  /** Thrown by the next calls, in their order. */
  readonly failures: unknown[];
  /** What was answered, by key. */
  readonly answers: Map<string, EnrollmentOutcome>;
};

function createKeep(): Keep {
  return { asked: [], failures: [], answers: new Map() };
}

function enrollIn(keep: Keep, enrollment: Enrollment): Promise<EnrollmentOutcome> {
  keep.asked.push(enrollment);
  if (keep.failures.length > 0) return Promise.reject(keep.failures.shift());
  const known = keep.answers.get(enrollment.idempotencyKey);
  if (known !== undefined) return Promise.resolve(known.kind === 'issued' ? { ...known, isRepeated: true } : known);
  assert.ok(enrollment.subjectKey.kind === 'certification-request');
  const names = requestedNames(readCertificationRequest(enrollment.subjectKey.der)).map(formatGeneralName);
  const serialNumber = Buffer.concat([Buffer.of(1), randomBytes(15)]);
  const certificate = issuer.issue({ names, serialNumber });
  const { notBefore, notAfter, serialNumber: serial } = read(certificate);
  const chain = [issuer.certificate];
  const answer: EnrollmentOutcome = {
    kind: 'issued',
    requestId: 'x',
    certificate,
    chain,
    serialNumber: serial,
    notBefore,
    notAfter,
    isRepeated: false,
  };
  keep.answers.set(enrollment.idempotencyKey, answer);
  return Promise.resolve(answer);
}

type Parts = Parameters<typeof startIssuance>[0];

let workers = 0;

function start(
  keep: Keep,
  changes: {
    readonly store?: StateStore;
    readonly mode?: string;
    readonly freshStatements?: () => Promise<readonly string[]>;
  } = {},
) {
  const profile: Pick<AcmeProfile, 'name' | 'settings' | 'rules'> = {
    name: 'tlsserver',
    settings: {
      profile: 'tls-server-validated',
      description: 'x',
      dnsPersist: 'draft-02',
      allowsInternalNames: false,
      authorizationReuse: 0,
    },
    rules: {
      mode: changes.mode ?? 'off',
      policy: 'private',
      remotes: 2,
      corroborations: 1,
      caa: 'off',
      dnssec: 'off',
      issuerDomainNames: [],
      methods: [],
      reuse: undefined,
      requiredSites: [],
      dnsPersist: 'draft-02',
      version: '',
    },
  };
  const parts = {
    store: changes.store ?? store,
    core: { enroll: (enrollment: Enrollment) => enrollIn(keep, enrollment) },
    validation: {
      freshStatements:
        changes.freshStatements ?? (({ id }: { readonly id: string }) => Promise.resolve([`dcv-${id}`, `caa-${id}`])),
    },
    profiles: { pick: () => profile },
    clock,
    log: createLog({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    worker: `worker-${++workers}`,
  };
  // Only what the worker uses of each part is there.
  const issuance = startIssuance(parts as typeof parts & Parts);
  started.push(issuance);
  return { ...parts, issuance };
}

async function finalized(
  account: Account,
  worker: { readonly worker: string },
  changes: Partial<NewOrder> = {},
  shape = { subject: '', names: ['DNS:a.example'] },
  externalAccount?: string,
): Promise<string> {
  const authorization = newUnguessableId();
  const shown = { createdAt: clock.now(), authorizations: [authorization], ...changes };
  const id = await storeOrder(store, account, ['a.example'], shown);
  await store.commit([
    insertAuthorization({
      id: authorization,
      accountId: account.id,
      orderId: id,
      status: 'valid',
      identifier: { type: 'dns', value: 'a.example', isWildcard: false },
      profile: 'tlsserver',
      token: 't',
      methods: ['http-01'],
      externalAccount,
      createdAt: clock.now(),
      expiresAt: new Date(clock.now().getTime() + 1_000_000),
    }),
  ]);
  const finalization = {
    finalize: '{"protected":"p","payload":"c","signature":"s"}',
    jwk: account.jwk,
    certificationRequest: newRequest(shape),
  };
  await store.commit([beginIssuance(id, finalization, newIssuanceLease({ ...worker, clock }), clock.now())]);
  return id;
}

/** Waits until nobody works on the order. */
async function settled(id: string): Promise<Order> {
  for (let turn = 0; turn < 2_000; turn++) {
    const order = await readOrder(store, id);
    if (order !== undefined && order.leaseOwner === undefined) return order;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('somebody still works on the order');
}

const account = await storeAccount(store);

describe('RFC 8555 §7.4: an order that was finalized', () => {
  it('becomes valid with its certificate', async () => {
    const keep = createKeep();
    const worker = start(keep);
    const id = await finalized(account, worker);
    worker.issuance.wake(id);
    const order = await settled(id);
    assert.equal(order.status, 'valid');
    const certificate = await readCertificateById(store, order.certificateId ?? '');
    assert.equal(certificate?.orderId, id);
    assert.equal(keep.asked.length, 1);
    assert.match(keep.asked[0]?.idempotencyKey ?? '', /^acme:[\w-]{24}:[\w-]{43}$/);
    assert.deepEqual(keep.asked[0]?.evidence, []);
  });

  it('says by which key of an external account names needed no challenge, acme.md §2', async () => {
    const keep = createKeep();
    const worker = start(keep);
    const id = await finalized(account, worker, {}, undefined, '8573c0c30b8303e890be');
    worker.issuance.wake(id);
    assert.equal((await settled(id)).status, 'valid');
    const [named, ...others] = keep.asked[0]?.evidence ?? [];
    assert.deepEqual([named?.type, others.length], ['acme-external-account', 0]);
    assert.equal(Buffer.from(named?.payload ?? []).toString(), '8573c0c30b8303e890be');
  });

  it('carries the word of the account and of the perspectives where the profile demands them', async () => {
    const keep = createKeep();
    const worker = start(keep, { mode: 'enforce' });
    const id = await finalized(account, worker);
    const [authorization] = (await readOrder(store, id))?.authorizations ?? [];
    worker.issuance.wake(id);
    assert.equal((await settled(id)).status, 'valid');
    const [results, finalize] = keep.asked[0]?.evidence ?? [];
    assert.deepEqual(
      [results?.type, results?.statements],
      ['perspective-results', [`dcv-${authorization}`, `caa-${authorization}`]],
    );
    assert.equal(finalize?.type, 'acme-finalize');
    assert.deepEqual(JSON.parse(Buffer.from(finalize?.payload ?? []).toString()), {
      jws: { protected: 'p', payload: 'c', signature: 's' },
      jwk: JSON.parse(account.jwk),
      keyChanges: [],
    });
  });

  it('has the name of its common name among the alternative names too', async () => {
    const keep = createKeep();
    const worker = start(keep);
    const id = await finalized(account, worker, {}, { subject: 'CN=B.example', names: ['DNS:a.example'] });
    worker.issuance.wake(id);
    await settled(id);
    assert.deepEqual(keep.asked[0]?.names, { subjectAlternativeNames: [{ kind: 'dns', value: 'b.example' }] });
  });
});

describe('acme.md §2: one order, one certificate', () => {
  it('when the gate dies between the answer of the keep and its own commit', async () => {
    const keep = createKeep();
    const dying: StateStore = {
      dialect: store.dialect,
      one: (query, ...parameters) => store.one(query, ...parameters),
      all: (query, ...parameters) => store.all(query, ...parameters),
      write: (query, ...parameters) => store.write(query, ...parameters),
      // What a process that is killed does: nothing any more.
      commit: () => new Promise(() => undefined),
      isHealthy: () => true,
      close: () => Promise.resolve(),
    };
    const dead = start(keep, { store: dying });
    started.pop();
    const id = await finalized(account, dead);
    dead.issuance.wake(id);
    while (keep.answers.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const other = start(keep);
    await other.issuance.sweep();
    assert.equal((await readOrder(store, id))?.leaseOwner, dead.worker);

    clock.advance(21_000);
    await other.issuance.sweep();
    const order = await settled(id);
    assert.equal(order.status, 'valid');
    assert.equal(keep.answers.size, 1);
    assert.deepEqual(new Set(keep.asked.map(({ idempotencyKey }) => idempotencyKey)).size, 1);
  });

  it('when several copies take it up at once', async () => {
    const keep = createKeep();
    const copies = Array.from({ length: 4 }, () => start(keep));
    const id = await finalized(account, { worker: 'gone' });
    clock.advance(21_000);
    await Promise.all(copies.map(({ issuance }) => issuance.sweep()));
    assert.equal((await settled(id)).status, 'valid');
    assert.equal(keep.asked.length, 1);
  });

  it('when the lease was lost meanwhile: the late one changes nothing', async () => {
    const keep = createKeep();
    const slow = start(keep);
    const id = await finalized(account, { worker: 'somebody-else' });
    slow.issuance.wake(id);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(keep.asked.length, 0);
    assert.equal((await readOrder(store, id))?.status, 'processing');
  });
});

describe('acme.md §4: what the keep says', () => {
  const cases: readonly (readonly [CoreErrorType, ProblemType])[] = [
    ['bad-csr', 'badCSR'],
    ['bad-key', 'badCSR'],
    ['rejected-name', 'rejectedIdentifier'],
    ['out-of-scope', 'rejectedIdentifier'],
    ['profile-unknown', 'invalidProfile'],
    ['profile-refuses', 'invalidProfile'],
    ['evidence-missing', 'unauthorized'],
    ['evidence-invalid', 'unauthorized'],
    ['unauthorized', 'serverInternal'],
    ['conflict', 'serverInternal'],
    ['malformed', 'malformed'],
  ];
  for (const [code, type] of cases) {
    it(`${code} makes the order invalid: ${type}`, async () => {
      const keep = createKeep();
      keep.failures.push(new CoreError(code, 'because of the moon'));
      const worker = start(keep);
      const id = await finalized(account, worker);
      worker.issuance.wake(id);
      const order = await settled(id);
      assert.equal(order.status, 'invalid');
      const problem = JSON.parse(order.error ?? '{}');
      assert.equal(problem.type, `urn:ietf:params:acme:error:${type}`);
      if (type !== 'serverInternal') assert.match(problem.detail, /because of the moon/);
    });
  }

  for (const code of ['unavailable', 'rate-limited', 'internal'] as const) {
    it(`${code} leaves the order processing, and it is tried again later and later`, async () => {
      const keep = createKeep();
      keep.failures.push(...Array.from({ length: 3 }, () => new CoreError(code, 'not now')));
      const worker = start(keep);
      const id = await finalized(account, worker);
      worker.issuance.wake(id);
      let waitedMs = 0;
      for (let attempt = 1; attempt <= 3; attempt++) {
        const order = await settled(id);
        assert.equal(order.status, 'processing');
        const waitMs = (order.nextAttemptAt?.getTime() ?? 0) - clock.now().getTime();
        assert.ok(waitMs > waitedMs, `${waitMs} after ${waitedMs}`);
        waitedMs = waitMs * 0.9;
        await worker.issuance.sweep();
        assert.equal(keep.asked.length, attempt);
        clock.advance(waitMs + 1);
        await worker.issuance.sweep();
      }
      assert.equal((await settled(id)).status, 'valid');
    });
  }

  it('nothing until the order expires: it ends', async () => {
    const keep = createKeep();
    keep.failures.push(new CoreError('unavailable', 'away'));
    const worker = start(keep);
    const id = await finalized(account, worker, { expiresAt: new Date(clock.now().getTime() + 1_000) });
    clock.advance(2_000);
    worker.issuance.wake(id);
    const order = await settled(id);
    assert.equal(order.status, 'invalid');
    assert.match(order.error ?? '', /could not issue before the order expired/);
  });

  it('that a person must approve: the order waits', async () => {
    const keep = createKeep();
    const worker = start(keep);
    const id = await finalized(account, worker);
    keep.answers.set = () => keep.answers;
    keep.answers.get = () => ({ kind: 'pending', requestId: 'x', retryAfterSeconds: 7 });
    worker.issuance.wake(id);
    const order = await settled(id);
    assert.equal(order.status, 'processing');
    assert.equal(order.nextAttemptAt?.getTime(), clock.now().getTime() + 7_000);
  });

  it('is not asked where an authorization does not hold any more, whatever the mode', async () => {
    const keep = createKeep();
    const detail = 'the authorization for a.example does not hold any more';
    const worker = start(keep, { freshStatements: () => Promise.reject(new AcmeError('unauthorized', detail)) });
    const id = await finalized(account, worker);
    worker.issuance.wake(id);
    assert.match((await settled(id)).error ?? '', /error:unauthorized.*does not hold/);
    assert.equal(keep.asked.length, 0);
  });

  it('and what a perspective says at the last moment: CAA makes the order invalid', async () => {
    const keep = createKeep();
    keep.failures.push(new AcmeError('caa', 'the CAA records forbid it now'));
    const worker = start(keep);
    const id = await finalized(account, worker);
    worker.issuance.wake(id);
    assert.match((await settled(id)).error ?? '', /error:caa/);
  });
});
