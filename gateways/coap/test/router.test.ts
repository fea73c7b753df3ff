import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resourceNames } from '../src/resources.ts';
import { routePath } from '../src/router.ts';

const route = (path: string) => routePath(path.split('/'), 'est');

describe('RFC 9148 §4.1: paths', () => {
  it('finds every resource below the well-known root and below the short one, with and without a label', () => {
    for (const resource of resourceNames) {
      for (const root of ['.well-known/est', 'est']) {
        assert.deepEqual(route(`${root}/${resource}`), { kind: 'resource', label: undefined, resource });
        assert.deepEqual(route(`${root}/floor-1/${resource}`), { kind: 'resource', label: 'floor-1', resource });
      }
    }
  });

  it('finds discovery at its one place', () => {
    assert.deepEqual(route('.well-known/core'), { kind: 'discovery' });
    assert.equal(route('.well-known/core/est'), undefined);
    assert.equal(route('est/core'), undefined);
  });

  it('takes a label that has the name of a resource for what stands in its place', () => {
    assert.deepEqual(route('est/sen/crts'), { kind: 'resource', label: 'sen', resource: 'crts' });
  });

  it('has the short root where it is configured', () => {
    assert.deepEqual(routePath(['e', 'sen'], 'e'), { kind: 'resource', label: undefined, resource: 'sen' });
    assert.equal(routePath(['est', 'sen'], 'e'), undefined);
  });
});

describe('RFC 7252 §6.4: segments of paths', () => {
  for (const path of [
    '',
    'est',
    'est/',
    'est/SEN',
    'EST/sen',
    '.Well-Known/est/sen',
    '.well-known/EST/sen',
    '.well-known/sen',
    '.well-known',
    'est/a/b/sen',
    'est//a/sen',
    'est/sen/',
    'est/simpleenroll',
    'other/sen',
  ]) {
    it(`knows no '/${path}'`, () => {
      assert.equal(route(path), undefined);
    });
  }
});
