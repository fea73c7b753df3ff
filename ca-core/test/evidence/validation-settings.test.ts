// core.validation and the validation of profiles: what could only fail at the first enrollment stops the core at start.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { z } from 'zod';
import {
  bindValidation,
  checkOverrides,
  createValidationSettings,
  describeValidation,
} from '../../src/evidence/validation.ts';
import { validationConfigurationSchema } from '../../src/evidence/validation-configuration.ts';
import { loadProfiles } from '../../src/profiles/load-profiles.ts';
import { builtin, problems, profile } from '../profiles/profile-file.ts';

type Written = z.input<typeof validationConfigurationSchema>;
const settingsOf = (text: Written = {}) => createValidationSettings(validationConfigurationSchema.parse(text));
const validated = builtin('tls-server-validated');
const refusal = (message: RegExp) => (error: unknown) => error instanceof FatalError && message.test(error.message);
const now = new Date('2026-06-20T00:00:00Z');

describe('core.validation', () => {
  const wrong: Readonly<Record<string, unknown>> = {
    'a base URL over http': { acmeBaseUrls: ['http://acme.example'] },
    'a base URL with a query': { acmeBaseUrls: ['https://acme.example/?a=b'] },
    'a base URL with a user': { acmeBaseUrls: ['https://a@acme.example/'] },
    'a base URL with a fragment': { acmeBaseUrls: ['https://acme.example/#x'] },
    'an issuer name in capitals': { issuerDomainNames: ['CA.example'] },
    'an issuer name that is a URL': { issuerDomainNames: ['https://ca.example'] },
    'more than ten issuer names': { issuerDomainNames: Array.from({ length: 11 }, (_, i) => `ca${i}.example`) },
    'a policy that the primary could satisfy alone': { policies: { own: { remotes: 0 } } },
    'a policy without corroboration': { policies: { own: { corroborations: 0 } } },
    'a mode that is none': { profiles: { 'tls-server-validated': { mode: 'maybe' } } },
    'a place that is none': { primaries: { acme: { latitude: 91, longitude: 0 } } },
    'evidence without time': { evidence: { keepAfterExpiry: 90 } },
    'a key that is not known': { issuers: [] },
  };
  for (const [what, text] of Object.entries(wrong)) {
    it(`refuses ${what}`, () => assert.equal(validationConfigurationSchema.safeParse(text).success, false));
  }

  it('cuts the slash at the end of base URLs, and keeps evidence for two years', () => {
    const settings = settingsOf({ acmeBaseUrls: ['https://acme.example/'] });
    assert.deepEqual(settings.acmeBaseUrls, ['https://acme.example']);
    assert.equal(settings.keepAfterExpiryMs, 2 * 365 * 86_400_000);
  });

  it('has public-br and private built in; only the latter may be defined otherwise', () => {
    assert.deepEqual([...settingsOf().policies.keys()], ['public-br', 'private']);
    assert.equal(settingsOf({ policies: { private: { remotes: 5 } } }).policies.get('private')?.rows[0].remotes, 5);
    assert.throws(() => settingsOf({ policies: { 'public-br': {} } }), refusal(/public-br is built in/));
  });

  it('refuses settings for a profile that there is not, or that leaves validation to the RA', () => {
    const profiles = loadProfiles();
    checkOverrides(settingsOf({ profiles: { 'tls-server-validated': { mode: 'monitor' } } }), profiles);
    assert.throws(
      () => checkOverrides(settingsOf({ profiles: { 'tls-server-validatd': {} } }), profiles),
      refusal(/did you mean 'tls-server-validated'/),
    );
    assert.throws(
      () => checkOverrides(settingsOf({ profiles: { 'tls-server': { mode: 'off' } } }), profiles),
      refusal(/leaves validation to the RA/),
    );
  });
});

describe('the validation of a profile', () => {
  it('is that of the profile, or of core.validation.profiles', () => {
    const own = bindValidation(validated, settingsOf());
    assert.ok(own !== undefined && own.mode === 'enforce' && own.policy.name === 'private');
    const other = bindValidation(
      validated,
      settingsOf({
        policies: { plant: {} },
        profiles: { 'tls-server-validated': { policy: 'plant', mode: 'monitor' } },
      }),
    );
    assert.ok(other !== undefined && other.mode === 'monitor' && other.policy.name === 'plant');
    assert.equal(bindValidation(builtin('tls-server'), settingsOf()), undefined);
  });

  it('refuses a policy that there is not', () => {
    assert.throws(
      () => bindValidation(validated, settingsOf({ profiles: { 'tls-server-validated': { policy: 'privat' } } })),
      refusal(/no policy privat; did you mean 'private'/),
    );
  });

  for (const mode of ['monitor', 'off'] as const) {
    it(`BR §3.2.2.9: public-br is not for mode ${mode}`, () => {
      const settings = settingsOf({ profiles: { 'tls-server-validated': { policy: 'public-br', mode } } });
      assert.throws(() => bindValidation(validated, settings), refusal(/public-br is enforced or not used/));
    });
  }

  it('is told to gates by the row of the day', () => {
    const settings = settingsOf({
      issuerDomainNames: ['ca.example'],
      profiles: { 'tls-server-validated': { policy: 'public-br' } },
    });
    const bound = bindValidation(validated, settings);
    assert.ok(bound);
    const rules = (at: string) => describeValidation(bound, settings, new Date(at));
    assert.deepEqual(rules('2026-06-20'), {
      mode: 'enforce',
      policy: 'public-br',
      version: 'public-br@2026-06-15',
      remotes: 4,
      corroborations: 3,
      caa: 'on',
      dnssec: 'on',
      issuerDomainNames: ['ca.example'],
      methods: ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'],
      reuse: { seconds: 30 * 86_400, nanos: 0 },
      requiredSites: [],
      dnsPersist: 'draft-02',
    });
    assert.deepEqual([rules('2026-12-15').remotes, rules('2026-12-15').corroborations], [5, 4]);
    assert.equal(rules('2029-03-15').reuse?.seconds, 10 * 86_400);
  });

  it('is told to gates as off', () => {
    const settings = settingsOf({ profiles: { 'tls-server-validated': { mode: 'off' } } });
    const bound = bindValidation(validated, settings);
    assert.ok(bound);
    const rules = describeValidation(bound, settings, now);
    assert.deepEqual([rules.mode, rules.policy, rules.remotes, rules.corroborations], ['off', '', 0, 0]);
  });
});

describe('profile files: validation', () => {
  const names = '{ allowed: [dns], atLeastOne: true, commonNameAmongNames: true }';

  it('is read with its defaults', () => {
    assert.deepEqual(profile({ names, validation: '{ policy: private }' }).validation, {
      policy: 'private',
      mode: 'enforce',
      methods: ['http-01', 'dns-01', 'tls-alpn-01'],
      reuseMs: 30 * 86_400_000,
      dnsPersist: 'draft-02',
    });
    assert.equal('validation' in profile(), false);
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'names that nobody can validate',
      { names: '{ allowed: [dns, uri], atLeastOne: true, commonNameAmongNames: true }' },
      /names\.allowed\.1: uri cannot be validated/,
    ],
    [
      'certificates without names',
      { names: '{ allowed: [dns], commonNameAmongNames: true }' },
      /names\.atLeastOne: must be true/,
    ],
    [
      'a common name past the names',
      { names: '{ allowed: [dns], atLeastOne: true }' },
      /names\.commonNameAmongNames: must be true/,
    ],
    ['a key without a request', { names, acceptsStatedPossession: 'true' }, /acceptsStatedPossession: must be false/],
    ['a CA', { names, basicConstraints: '{ isCa: true }' }, /validation: is not for a CA/],
    [
      'public-br that is only monitored',
      { names, validation: '{ policy: public-br, mode: monitor }' },
      /validation\.mode: must be enforce/,
    ],
    [
      'a method that is none',
      { names, validation: '{ policy: private, methods: [http-02] }' },
      /validation\.methods\.0/,
    ],
    [
      'no method',
      { names, validation: '{ policy: private, methods: [] }' },
      /validation\.methods: must have at least 1 entry/,
    ],
    ['a method twice', { names, validation: '{ policy: private, methods: [dns-01, dns-01] }' }, /is listed twice/],
    ['no policy', { names, validation: '{}' }, /validation\.policy: is required/],
  ];
  for (const [what, changes, problem] of wrong) {
    it(`refuses ${what}`, () => {
      const found = problems({ validation: '{ policy: private }', ...changes });
      assert.ok(
        found.some((each) => problem.test(each)),
        found.join('\n'),
      );
    });
  }
});
