import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { compileScope } from '../../src/enrollment/name-scope.ts';
import { unvalidatedProfiles } from '../../src/registry/unvalidated-names.ts';
import { openTestKeep } from '../support/keep.ts';

const { keep, close } = await openTestKeep((signer) => signer);
after(() => close());

/** Of an RA with these profiles and DNS names. */
function found(profiles: readonly string[], dnsSuffixes: readonly string[]): readonly string[] {
  const nothing = { ipRanges: [], uriPrefixes: [], emailDomains: [], subjectAttributes: [] };
  return unvalidatedProfiles({ profiles: new Set(profiles), scope: compileScope({ ...nothing, dnsSuffixes }) }, keep);
}

describe('mpic.md §3: ways past the validation of names', () => {
  it('are profiles beside one that validates, without names of their own', () => {
    assert.deepEqual(found(['tls-server-validated', 'gateway-tls'], ['*']), ['gateway-tls']);
    assert.deepEqual(found(['tls-server-validated', 'gateway-tls'], ['*', 'gateway-tls:acme.example']), []);
  });
  it('are none where nothing is validated, or everything', () => {
    assert.deepEqual(found(['tls-server', 'gateway-tls'], ['*']), []);
    assert.deepEqual(found(['tls-server-validated', 'tls-server-validated-short-lived'], ['*']), []);
  });
});
