// What becomes of a validation, and what is handed to the keep before issuance: fresh, or not at all.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { acmeSchema, type ChallengeType } from '../../src/config.ts';
import { AcmeError } from '../../src/errors.ts';
import type { ValidationSubject } from '../../src/perspectives/check.ts';
import type { Checks } from '../../src/perspectives/checks.ts';
import type { FailedCheck, PassedCheck } from '../../src/perspectives/one-check.ts';
import { createValidation } from '../../src/perspectives/validation.ts';
import { createProfiles } from '../../src/profiles.ts';
import { type Account, deactivateAccount, readAccount, replaceKey } from '../../src/state/accounts.ts';
import { insertAuthorization, readAuthorization } from '../../src/state/authorizations.ts';
import { putStatements, readStatements } from '../../src/state/statements.ts';
import { attemptChallenge, validateAuthorization } from '../../src/state/validations.ts';
import { createTestLog } from '../support/log.ts';
import { openMemoryState, storeAccount } from '../support/memory-state.ts';
import { rulesOf } from '../support/perspectives.ts';

const start = new Date('2026-11-21T12:00:00Z');
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let store: StateStore;
let account: Account;
let clock: ManualClock;

beforeEach(async () => {
  store = await openMemoryState();
  account = await storeAccount(store);
  clock = createManualClock(start);
});
afterEach(() => store.close());

function passedAt(madeAt: Date, statement: string, changes: Partial<PassedCheck> = {}): PassedCheck {
  return {
    ...{
      kind: 'passed',
      attempt: 'attempt',
      statements: [statement],
      madeAt,
      isSigned: false,
      persistUntil: undefined,
    },
    ...changes,
  };
}

async function prepare(rules: ValidationRules | undefined, answers: Partial<Checks> = {}, reuse = '10d') {
  const subjects: ValidationSubject[] = [];
  let caaChecks = 0;
  const { log } = createTestLog();
  const configuration = acmeSchema.parse({
    core: { addresses: ['127.0.0.1:5280'], credential: 'credential.pem' },
    profiles: { plain: { profile: 'core-profile', description: 'x', authorizationReuse: reuse } },
  });
  const profiles = createProfiles({
    configuration,
    core: { listProfiles: async () => [coreProfile(rules)] },
    log,
  });
  profiles.close();
  await profiles.refresh();
  const checks: Checks = {
    validate: async (subject) => {
      subjects.push(subject);
      return { kind: 'passed', dcv: passedAt(clock.now(), 'dcv'), caa: passedAt(clock.now(), 'caa') };
    },
    checkCaa: async () => {
      caaChecks++;
      return passedAt(clock.now(), `caa again ${caaChecks}`);
    },
    shortage: () => 'none is there',
    close: async () => {},
    ...answers,
  };
  const validation = createValidation({ checks, store, profiles, clock, orderLifeMs: 7 * dayMs });
  return { validation, subjects, caaChecks: () => caaChecks };
}

function coreProfile(validation: ValidationRules | undefined) {
  return {
    ...{ name: 'core-profile', description: '', subject: [], allowedNames: [], requiredNames: [], keys: [] },
    ...{ keyUsage: [], extendedKeyUsage: [], defaultValidity: undefined, maximumValidity: undefined },
    ...{ needsApproval: false, evidence: [], isCa: false, copiedExtensions: [], acceptsStatedPossession: false },
    ...{ allowsNameChange: false, status: 'published', needsAnyName: false, validation, allowsWildcards: true },
  };
}

/** An authorization whose challenge was attempted. */
async function storeAttempted(method: ChallengeType = 'http-01', type: 'dns' | 'ip' = 'dns') {
  const id = newUnguessableId();
  await store.commit([
    insertAuthorization({
      id,
      accountId: account.id,
      orderId: 'order-1',
      status: 'pending',
      identifier: { type, value: type === 'ip' ? '192.0.2.1' : 'a.example', isWildcard: false },
      profile: 'plain',
      token: 'token',
      methods: [method],
      externalAccount: undefined,
      createdAt: start,
      expiresAt: new Date(start.getTime() + 7 * dayMs),
    }),
    attemptChallenge(id, method, account.thumbprint, { owner: 'me', until: new Date(start.getTime() + 20_000) }),
  ]);
  return await found(id);
}

async function found(id: string) {
  const authorization = await readAuthorization(store, id);
  assert.ok(authorization !== undefined);
  return authorization;
}

/** A valid one with what was signed about it. */
async function storeValid(options: { readonly hasCaa?: boolean; readonly type?: 'dns' | 'ip' } = {}) {
  const { id } = await storeAttempted('http-01', options.type);
  const set = { attempt: 'attempt', checkedAt: start };
  await store.commit([
    validateAuthorization(id, 'me', start, new Date(start.getTime() + 10 * dayMs)),
    putStatements(id, { ...set, check: 'dcv', statements: ['dcv'], goodUntil: new Date(start.getTime() + 10 * dayMs) }),
    ...(options.hasCaa === false
      ? []
      : [
          putStatements(id, {
            ...set,
            check: 'caa',
            statements: ['caa'],
            goodUntil: new Date(start.getTime() + 7 * hourMs),
          }),
        ]),
  ]);
  return await found(id);
}

describe('RFC 8555 §7.5.1: a validation', () => {
  it('is asked for with the key that signed the challenge request, and the account’s URL', async () => {
    const { validation, subjects } = await prepare(rulesOf(2, 1));
    const authorization = await storeAttempted();
    assert.equal((await validation.validate(authorization)).kind, 'passed');
    const [subject] = subjects;
    assert.deepEqual(subject?.thumbprints, [account.thumbprint]);
    assert.equal(subject?.accountUrl, account.url);
    assert.equal(subject?.token, 'token');
  });

  it('by dns-persist-01 is asked for with every key that the account ever had, the present one first', async () => {
    const { validation, subjects } = await prepare(rulesOf(2, 1));
    const next = { jwk: '{}', thumbprint: 'n'.repeat(43), keyChange: '{}' };
    await store.commit(replaceKey(account, next, new Date(start.getTime() + 1_000)));
    const before = account.thumbprint;
    account = (await readAccount(store, account.id)) ?? account;
    await validation.validate(await storeAttempted('dns-persist-01'));
    assert.deepEqual(subjects[0]?.thumbprints, [next.thumbprint, before]);
  });

  it('holds as long as the profile lets it be used again, counted from its first statement', async () => {
    const { validation } = await prepare(rulesOf(2, 1));
    const outcome = await validation.validate(await storeAttempted());
    assert.ok(outcome.kind === 'passed');
    assert.equal(outcome.expiresAt.getTime(), start.getTime() + 10 * dayMs);
  });

  it('holds for an order’s life where it is not used again, and never longer than the keep lets it', async () => {
    const attempted = await storeAttempted();
    const once = await (await prepare(rulesOf(2, 1), {}, '0s')).validation.validate(attempted);
    assert.equal(once.kind === 'passed' && once.expiresAt.getTime(), start.getTime() + 7 * dayMs);
    const short = rulesOf(2, 1, { reuse: { seconds: 3_600, nanos: 0 } });
    const hour = await (await prepare(short)).validation.validate(attempted);
    assert.equal(hour.kind === 'passed' && hour.expiresAt.getTime(), start.getTime() + hourMs);
  });

  it('by dns-persist-01 holds no longer than the record says', async () => {
    const persistUntil = new Date(start.getTime() + 2 * dayMs);
    const { validation } = await prepare(rulesOf(2, 1), {
      validate: async () => ({ kind: 'passed', dcv: passedAt(start, 'dcv', { persistUntil }), caa: undefined }),
    });
    const outcome = await validation.validate(await storeAttempted('dns-persist-01'));
    assert.equal(outcome.kind === 'passed' && outcome.expiresAt.getTime(), persistUntil.getTime());
  });

  it('fails for an account that was deactivated meanwhile', async () => {
    const { validation, subjects } = await prepare(rulesOf(2, 1));
    const authorization = await storeAttempted();
    await store.commit([deactivateAccount(account.id, start)]);
    const outcome = await validation.validate(authorization);
    assert.ok(outcome.kind === 'failed' && outcome.problem.type === 'unauthorized' && !outcome.isOurFault);
    assert.equal(subjects.length, 0);
  });
});

describe('mpic.md §4: readiness', () => {
  it('names the profiles whose names cannot be validated, and goes on for the others', async () => {
    const { validation } = await prepare(rulesOf(2, 1));
    assert.deepEqual(validation.readiness(), [
      { check: 'perspectives', detail: 'profile plain: none is there', isTolerable: true },
    ]);
    assert.deepEqual((await prepare(undefined)).validation.readiness(), []);
  });
});

describe('RFC 8659 §3 with BR §3.2.2.8: statements for issuance', () => {
  it('are those of the validation while permission is younger than 7 hours', async () => {
    const { validation, caaChecks } = await prepare(rulesOf(2, 1));
    const authorization = await storeValid();
    clock.advance(6.9 * hourMs);
    assert.deepEqual(await validation.freshStatements(authorization), ['dcv', 'caa']);
    assert.equal(caaChecks(), 0);
  });

  it('have permission looked for once more after 7 hours, and keep it', async () => {
    const { validation, caaChecks } = await prepare(rulesOf(2, 1));
    const authorization = await storeValid();
    clock.advance(7 * hourMs);
    assert.deepEqual(await validation.freshStatements(authorization), ['dcv', 'caa again 1']);
    assert.deepEqual(await validation.freshStatements(authorization), ['dcv', 'caa again 1']);
    assert.equal(caaChecks(), 1);
    const kept = (await readStatements(store, [authorization.id])).get(authorization.id);
    assert.deepEqual(kept?.caa?.statements, ['caa again 1']);
  });

  it('are not there when it is forbidden by then', async () => {
    const forbidden: FailedCheck = {
      kind: 'failed',
      problem: { type: 'caa', detail: 'CAA records at a.example forbid' },
      isOurFault: false,
    };
    const { validation } = await prepare(rulesOf(2, 1), { checkCaa: async () => forbidden });
    const authorization = await storeValid();
    clock.advance(8 * hourMs);
    await assert.rejects(
      validation.freshStatements(authorization),
      (error) => error instanceof AcmeError && error.type === 'caa',
    );
  });

  it('are waited for when nobody could look: that is no reason to refuse', async () => {
    const broken: FailedCheck = {
      kind: 'failed',
      problem: { type: 'serverInternal', detail: 'nobody answered' },
      isOurFault: true,
    };
    const { validation } = await prepare(rulesOf(2, 1), { checkCaa: async () => broken });
    const authorization = await storeValid();
    clock.advance(8 * hourMs);
    await assert.rejects(
      validation.freshStatements(authorization),
      (error) => error instanceof CoreError && error.code === 'unavailable',
    );
  });

  it('are about control alone for addresses, without CAA, and in zones that are not signed where it depends on that', async () => {
    const address = await storeValid({ type: 'ip', hasCaa: false });
    const name = await storeValid({ hasCaa: false });
    clock.advance(8 * hourMs);
    assert.deepEqual(await (await prepare(rulesOf(2, 1))).validation.freshStatements(address), ['dcv']);
    const off = await prepare(rulesOf(2, 1, { caa: 'off' }));
    assert.deepEqual(await off.validation.freshStatements(name), ['dcv']);
    const signed = await prepare(rulesOf(2, 1, { caa: 'where-signed' }));
    assert.deepEqual(await signed.validation.freshStatements(name), ['dcv']);
  });

  it('are not there for an authorization that expired or was deactivated', async () => {
    const { validation } = await prepare(rulesOf(2, 1));
    const authorization = await storeValid();
    const isRefused = (error: unknown) => error instanceof AcmeError && error.type === 'unauthorized';
    await assert.rejects(validation.freshStatements({ ...authorization, status: 'deactivated' }), isRefused);
    clock.advance(11 * dayMs);
    await assert.rejects(validation.freshStatements(authorization), isRefused);
  });
});
