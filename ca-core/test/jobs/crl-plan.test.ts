// RFC 5280 §5.2.5: what CRLs say of themselves, and which there are.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { rememberBaseUrl } from '../../src/jobs/base-urls.ts';
import { configuredScopes, planScope } from '../../src/jobs/crl-plan.ts';
import { statusConfigurationSchema } from '../../src/revocation/status-configuration.ts';
import { openTestStore } from '../store/test-store.ts';

const { crl } = statusConfigurationSchema.parse({}).issuing;
const here = { current: 'http://b.example', all: ['http://b.example', 'http://a.example'], since: 0 };
const nowhere = { current: undefined, all: [], since: 0 };

describe('the CRLs of an authority', () => {
  it('are the complete one, the one of CAs and one for each shard', () => {
    assert.deepEqual(configuredScopes('issuing', 2, true), ['issuing', 'issuing-ca', 'issuing-1', 'issuing-2']);
  });

  it('are the complete one alone when certificates name none', () => {
    assert.deepEqual(configuredScopes('issuing', 2, false), ['issuing']);
  });
});

describe('RFC 5280 §5.2.5: the issuing distribution point', () => {
  it('is absent from the complete CRL, which covers every certificate of the authority', () => {
    const [full, delta] = planScope('issuing', crl, here);
    assert.deepEqual([full?.issuingDistributionPoint, delta?.issuingDistributionPoint], [undefined, undefined]);
    assert.deepEqual(full?.coverage, { kind: 'authority', authority: 'issuing' });
  });

  it('names a shard by every URL that certificates may name, and says that it is of end entities', () => {
    const [full, delta] = planScope('issuing-3', crl, here);
    const fullName = ['http://b.example/crl/issuing-3.crl', 'http://a.example/crl/issuing-3.crl'];
    assert.deepEqual(full?.issuingDistributionPoint, { fullName, onlyContains: 'user-certificates' });
    assert.deepEqual(delta?.issuingDistributionPoint, full?.issuingDistributionPoint);
    assert.deepEqual(full?.coverage, { kind: 'scope', scope: 'issuing-3' });
  });

  it('says that the CRL of CAs is of CAs', () => {
    const [full] = planScope('issuing-ca', crl, nowhere);
    assert.deepEqual(full?.issuingDistributionPoint, { fullName: [], onlyContains: 'ca-certificates' });
  });
});

describe('RFC 5280 §5.2.6: the freshest CRL', () => {
  it('is named by a full CRL where it is now, and never by a delta', () => {
    const [full, delta] = planScope('issuing-3', crl, here);
    assert.deepEqual(full?.freshestCrl, ['http://b.example/crl/issuing-3-delta.crl']);
    assert.deepEqual(delta?.freshestCrl, []);
  });

  it('is named nowhere when there is no place for it', () => {
    assert.deepEqual(planScope('issuing', crl, nowhere)[0]?.freshestCrl, []);
  });
});

describe('base URLs that certificates have named', async () => {
  const { store, remove } = await openTestStore();
  after(remove);

  it('are remembered, the newest first, each once', async () => {
    assert.deepEqual(await rememberBaseUrl(store, undefined, 1), { current: undefined, all: [], since: 0 });
    await rememberBaseUrl(store, 'http://a.example', 2);
    const urls = await rememberBaseUrl(store, 'http://b.example', 3);
    assert.deepEqual(urls, { current: 'http://b.example', all: ['http://b.example', 'http://a.example'], since: 3 });
    assert.deepEqual(await rememberBaseUrl(store, 'http://b.example', 4), urls);
    const back = await rememberBaseUrl(store, 'http://a.example', 5);
    assert.deepEqual(back.all, ['http://a.example', 'http://b.example']);
    assert.equal(back.since, 5);
  });

  it('stay when there is none any more', async () => {
    const urls = await rememberBaseUrl(store, undefined, 6);
    assert.deepEqual([urls.current, urls.all.length], [undefined, 2]);
  });
});
