// ACME profiles and the profiles of the keep behind them: what is offered, to whom, and what happens while the keep is away.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { NameKind, type Profile } from '@gatehouse/ra-client/profile';
import { createLog } from '@gatehouse/runtime/log';
import { acmeSchema } from '../src/config.ts';
import { AcmeError } from '../src/errors.ts';
import { checkPeriod, createProfiles } from '../src/profiles.ts';
import type { Account } from '../src/state/accounts.ts';
import { rulesOf } from './support/perspectives.ts';

const day = 86_400;

const coreProfile = (name: string, changes: Partial<Profile> = {}): Profile => ({
  name,
  description: '',
  subject: [],
  allowedNames: [NameKind.NAME_KIND_DNS],
  requiredNames: [],
  keys: [],
  keyUsage: [],
  extendedKeyUsage: [],
  defaultValidity: { seconds: 90 * day, nanos: 0 },
  maximumValidity: { seconds: 200 * day, nanos: 0 },
  needsApproval: false,
  evidence: [],
  isCa: false,
  copiedExtensions: [],
  acceptsStatedPossession: false,
  allowsNameChange: false,
  status: 'published',
  needsAnyName: true,
  validation: undefined,
  allowsWildcards: false,
  ...changes,
});

const account: Account = {
  id: 'me',
  url: 'https://acme.test/acme/account/me',
  status: 'valid',
  jwk: '{}',
  thumbprint: 't',
  contact: [],
  termsOfServiceAgreed: true,
  externalAccount: undefined,
  externalAccountBinding: undefined,
  createdAt: new Date(),
};

function make(answer: () => Promise<readonly Profile[]>, profiles: object, more: object = {}) {
  const configuration = acmeSchema.parse({ core: { credential: 'x' }, profiles, ...more });
  const log = createLog({ name: 'test', level: 'silent' });
  return createProfiles({ configuration, core: { listProfiles: answer }, log });
}

const refusal = (type: string, detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AcmeError, String(error));
  assert.deepEqual([error.type, detail.test(error.detail)], [type, true], error.detail);
  return true;
};

describe('draft-ietf-acme-profiles: bound to profiles of the keep', () => {
  it('are offered as long as the keep has them; the first one is the default', async () => {
    let known = [coreProfile('one'), coreProfile('two')];
    const profiles = make(() => Promise.resolve(known), {
      a: { profile: 'one', description: 'A' },
      b: { profile: 'two', description: 'B' },
      c: { profile: 'three', description: 'C' },
    });
    await profiles.refresh();
    assert.deepEqual(profiles.meta, { a: 'A', b: 'B' });
    assert.equal(profiles.pick(undefined, account).name, 'a');
    assert.throws(() => profiles.pick('c', account), refusal('invalidProfile', /there are: a, b$/));
    known = [coreProfile('two')];
    await profiles.refresh();
    assert.equal(profiles.find('a'), undefined);
    assert.throws(() => profiles.pick(undefined, account), refusal('invalidProfile', /'a'.*there are: b$/));
    assert.deepEqual(profiles.readiness(), []);
    known = [];
    await profiles.refresh();
    assert.equal(profiles.readiness().length, 1);
    profiles.close();
  });

  it('stay as they were known while the keep is away; before, nothing can be ordered', async () => {
    let isAway = true;
    const answer = () =>
      isAway ? Promise.reject(new CoreError('unavailable', 'away')) : Promise.resolve([coreProfile('one')]);
    const profiles = make(answer, { a: { profile: 'one', description: 'A' } });
    await profiles.refresh();
    assert.throws(
      () => profiles.pick('a', account),
      (error) => error instanceof CoreError && error.code === 'unavailable',
    );
    assert.equal(profiles.readiness().length, 1);
    isAway = false;
    await profiles.refresh();
    isAway = true;
    await profiles.refresh();
    assert.equal(profiles.pick('a', account).core.name, 'one');
    profiles.close();
  });

  it('are for the accounts that are listed, by their id or their external account', async () => {
    const profiles = make(() => Promise.resolve([coreProfile('one')]), {
      open: { profile: 'one', description: 'Open' },
      closed: { profile: 'one', description: 'Closed', accounts: ['me-too', 'kid-7'] },
    });
    await profiles.refresh();
    assert.throws(() => profiles.pick('closed', account), refusal('invalidProfile', /there are: open$/));
    assert.equal(profiles.pick('closed', { ...account, id: 'me-too' }).name, 'closed');
    assert.equal(profiles.pick('closed', { ...account, externalAccount: 'kid-7' }).name, 'closed');
    profiles.close();
  });

  it('offer the challenges that the keep takes, and further ones by choice alone', async () => {
    const rules = rulesOf(2, 1, { methods: ['http-01', 'dns-01', 'dns-account-01'], policy: 'public-br' });
    const profiles = make(() => Promise.resolve([coreProfile('one', { validation: rules })]), {
      usual: { profile: 'one', description: 'x', authorizationReuse: '90d' },
      chosen: { profile: 'one', description: 'x', methods: ['dns-account-01', 'dns-persist-01'] },
    });
    await profiles.refresh();
    const usual = profiles.find('usual');
    assert.deepEqual(usual?.methods, ['http-01', 'dns-01']);
    assert.deepEqual(profiles.find('chosen')?.methods, ['dns-account-01']);
    assert.equal(usual?.reuseMs, 30 * day * 1000);
    assert.equal(usual?.identifiers.refusesReverseNames, true);
    assert.deepEqual(profiles.issuerDomainNames, ['ca.example']);
    profiles.close();
  });
});

describe('draft-ietf-acme-dns-persist: records in the form of draft-01', () => {
  const wanted = { profile: 'one', description: 'x', methods: ['dns-01', 'dns-persist-01'], dnsPersist: 'draft-01' };
  for (const [title, rules, methods] of [
    ['are not asked for where the keep would refuse them at the end', { dnsPersist: 'draft-02' }, ['dns-01']],
    ['are asked for where they count', { dnsPersist: 'draft-01' }, ['dns-01', 'dns-persist-01']],
    ['are asked for where the keep enforces nothing', { mode: 'monitor' }, ['dns-01', 'dns-persist-01']],
  ] as const) {
    it(title, async () => {
      const validation = rulesOf(2, 1, { methods: ['dns-01', 'dns-persist-01'], ...rules });
      const profiles = make(() => Promise.resolve([coreProfile('one', { validation })]), { older: wanted });
      await profiles.refresh();
      assert.deepEqual(profiles.find('older')?.methods, methods);
      profiles.close();
    });
  }
});

describe('RFC 8555 §7.4: notBefore and notAfter of a new order', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const profile = { name: 'a', core: coreProfile('one'), maximumValidityMs: 10 * day * 1000 };
  const after = (seconds: number) => new Date(now.getTime() + seconds * 1000);

  it('are taken within what the profile grants', () => {
    for (const period of [
      {},
      { notAfter: after(9 * day) },
      { notBefore: after(-2 * day) },
      { notBefore: after(day), notAfter: after(11 * day - 1) },
    ]) {
      checkPeriod(profile, period, now);
    }
  });

  it('are malformed outside of it, naming the range', () => {
    const bad = [
      [{ notAfter: after(10 * day) }, /at the latest 2030-01-10T22:59:59Z in profile a/],
      [{ notAfter: now }, /after now/],
      [{ notBefore: after(day), notAfter: after(day) }, /after notBefore/],
      [{ notBefore: after(-2 * day - 1) }, /between 2029-12-30T00:00:00Z and 2030-01-03T00:00:00Z/],
      [{ notBefore: after(2 * day + 1) }, /between/],
      [{ notAfter: after(0.5 + day) }, /whole second/],
    ] as const;
    for (const [period, detail] of bad) {
      assert.throws(() => checkPeriod(profile, period, now), refusal('malformed', detail));
    }
  });
});
