import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acmeSchema } from '../src/config.ts';
import { answerDirectory, type DirectoryParts } from '../src/directory.ts';
import { createUrls } from '../src/urls.ts';

const base = 'https://acme.example.com';

/** Profiles of the keep behind those of the gate: issuer domain names by the name of the ACME profile. */
const directoryOf = (section: object, issuers: Readonly<Record<string, readonly string[]>> = {}) => {
  const parts: DirectoryParts = {
    configuration: acmeSchema.parse({ core: { credential: 'c' }, ...section }),
    urls: createUrls({ bases: [base] }),
    profiles: {
      meta: {},
      issuerDomainNames: [...new Set(Object.values(issuers).flat())],
      find: (name) => {
        const issuerDomainNames = issuers[name];
        return issuerDomainNames === undefined ? undefined : { rules: { issuerDomainNames } };
      },
    },
  };
  const { body } = answerDirectory(parts, base);
  assert.ok(typeof body === 'string');
  return JSON.parse(body);
};

const persistent = { profile: 'p', description: 'd', methods: ['dns-persist-01'] };

describe('RFC 8555 §7.1.1: what the directory tells', () => {
  it('is nothing about what is off', () => {
    const directory = directoryOf({ newAuthz: false, renewalInfo: false });
    assert.ok(!('newAuthz' in directory) && !('renewalInfo' in directory));
    assert.deepEqual(directory.meta, { externalAccountRequired: false, profiles: {} });
  });

  it('is the names of the CA in CAA records, those of the profiles unless told', () => {
    assert.deepEqual(directoryOf({}, { a: ['a.example'], b: ['b.example'] }).meta.caaIdentities, [
      'a.example',
      'b.example',
    ]);
    assert.deepEqual(directoryOf({ caaIdentities: ['c.example'] }, { a: ['a.example'] }).meta.caaIdentities, [
      'c.example',
    ]);
  });

  it('is what stands in persistent records, where a profile offers them: names that all of their challenges have', () => {
    const profiles = { a: persistent, b: persistent, c: { ...persistent, methods: ['dns-01'] } };
    const { meta } = directoryOf({ profiles }, { a: ['x.example', 'y.example'], b: ['y.example'], c: ['z.example'] });
    assert.deepEqual(meta.issuerDomainNames, ['y.example']);
    assert.equal(meta.accountHashPrefix, `${base}/acme/account-hash/`);
    const configured = { profiles, validation: { accountHashPrefix: 'https://p.example/' } };
    assert.equal(directoryOf(configured, { a: ['y.example'] }).meta.accountHashPrefix, 'https://p.example/');
  });

  it('is nothing of that for the former draft, which has it in the challenge', () => {
    const profiles = { a: { ...persistent, dnsPersist: 'draft-01' } };
    const { meta } = directoryOf({ profiles }, { a: ['x.example'] });
    assert.ok(!('issuerDomainNames' in meta) && !('accountHashPrefix' in meta));
  });
});
