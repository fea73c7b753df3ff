import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discoveryLinks, writeDiscovery } from '../../src/discovery.ts';

const links = discoveryLinks('est', [
  { label: undefined, resources: ['crts', 'sen', 'sren', 'att', 'skg', 'skc'] },
  { label: 'device identity', resources: ['crts', 'sen'] },
]);
const discover = (...query: string[]) => Buffer.from(writeDiscovery(links, query)).toString();

describe('RFC 9148 §4.1: discovery', () => {
  it('RFC 9148 §4.1: writes each resource with its type and formats, below the short root', () => {
    assert.deepEqual(discover().split(','), [
      '</est/crts>;rt="ace.est.crts";ct="281 287"',
      '</est/sen>;rt="ace.est.sen";ct="281 287"',
      '</est/sren>;rt="ace.est.sren";ct="281 287"',
      '</est/att>;rt="ace.est.att";ct=285',
      '</est/skg>;rt="ace.est.skg";ct=62',
      '</est/skc>;rt="ace.est.skc";ct=62',
      '</est/device%20identity/crts>;rt="ace.est.crts";ct="281 287"',
      '</est/device%20identity/sen>;rt="ace.est.sen";ct="281 287"',
    ]);
  });

  it('RFC 9148 §4.1: rt=ace.est* finds all of them', () => {
    assert.equal(discover('rt=ace.est*'), discover());
  });

  it('RFC 9148 §4.1: rt=ace.est.sen finds it under each label', () => {
    assert.equal(
      discover('rt=ace.est.sen'),
      '</est/sen>;rt="ace.est.sen";ct="281 287",</est/device%20identity/sen>;rt="ace.est.sen";ct="281 287"',
    );
  });

  it('RFC 6690 §4.1: nothing found is an empty payload', () => {
    assert.equal(discover('rt=temperature'), '');
  });
});
