import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { ConfigurationError, parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { estSchema } from '../src/config.ts';

const problemsOf = (text: string): string => {
  const result = parseYamlWithSchema(`core: { credential: c }\n${text}`, estSchema, 'gatehouse.yaml');
  return result.ok ? '' : result.message;
};

describe('the section est of gatehouse.yaml', () => {
  it('needs labels, and a default label that is one of them', () => {
    assert.equal(problemsOf('labels: { a: { profile: p } }\ndefaultLabel: a\n'), '');
    assert.match(problemsOf('labels: { a: { profile: p } }\ndefaultLabel: b\n'), /defaultLabel.*no label 'b'/);
    assert.match(problemsOf(''), /labels/);
  });

  it('refuses labels that a path cannot hold or that are operations, RFC 7030 §3.2.2', () => {
    for (const label of ['a/b', '', 'a b', '..', 'a%2f']) {
      assert.notEqual(problemsOf(`labels: { ${JSON.stringify(label)}: { profile: p } }\n`), '', label);
    }
    assert.match(problemsOf('labels: { CaCerts: { profile: p } }\n'), /name of an operation/);
  });

  it('refuses policies that cannot be met or that speak of nothing', () => {
    assert.match(
      problemsOf('labels: { a: { profile: p, authentication: { requires: both, schemes: [] } } }\n'),
      /'both' needs a scheme/,
    );
    const anchor = (more: string) => `labels: { a: { profile: p } }\ntrustAnchors: [{ name: x, file: f, ${more} }]\n`;
    assert.match(problemsOf(anchor('labels: [b]')), /no label 'b'/);
    const mapping = 'certificates: [{ subject: ["CN=*"], labels: [b] }]';
    assert.match(problemsOf(`labels: { a: { profile: p } }\n${mapping}\n`), /certificates.*no label 'b'/);
    assert.match(problemsOf(anchor('labels: [a], acceptsExpired: true')), /revocationList/);
    assert.notEqual(problemsOf(anchor('labels: [a], operations: [simplereenroll]')), '', 'an IDevID never renews');
  });

  it('names the nearest key for one that it does not know', () => {
    assert.match(problemsOf('labels: { a: { profil: p } }\n'), /profile/);
    assert.ok(ConfigurationError.prototype instanceof Error);
  });

  it('finds labels exactly, and without case where that is unambiguous', () => {
    const labels = collectLabels(
      estSchema.parse({
        core: { credential: 'c' },
        labels: { One: { profile: 'p' }, two: { profile: 'q' }, TWO: { profile: 'r' } },
        defaultLabel: 'two',
      }),
    );
    assert.equal(labels.find('one')?.name, 'One');
    assert.equal(labels.find('TWO')?.profile, 'r');
    assert.equal(labels.find('Two'), undefined);
    assert.equal(labels.find(undefined)?.profile, 'q');
  });
});
