import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ConfigurationError, loadSharedConfiguration } from '@gatehouse/runtime/configuration';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { temporaryDirectory } from '../support/directory.ts';

const schema = z
  .strictObject({
    labels: z.record(z.string(), z.strictObject({ profile: z.string() })),
    defaultLabel: z.string().optional(),
    window: durationSchema.prefault('10m'),
  })
  .superRefine(({ labels, defaultLabel }, context) => {
    if (defaultLabel === undefined || Object.hasOwn(labels, defaultLabel)) return;
    context.addIssue({ code: 'custom', path: ['defaultLabel'], message: 'there is no such label' });
  });

type Given = { set?: string[]; environment?: Record<string, string> };

function load(context: TestContext, text: string, given: Given = {}) {
  const file = join(temporaryDirectory(context), 'gatehouse.yaml');
  writeFileSync(file, text);
  return loadSharedConfiguration({ schema, sections: ['coap', 'est'], file, environment: {}, ...given });
}

function problems(context: TestContext, text: string, given: Given = {}): readonly string[] {
  try {
    load(context, text, given);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.message.split('\n').map((line) => line.replace(/^.*\/gatehouse\.yaml/, 'gatehouse.yaml'));
  }
  return [];
}

const est = 'est:\n  labels: { a: { profile: p } }\n  window: 5m\n  realm: passed over\n';

describe('configuration: keys that sections share', () => {
  test('are those of the other section, key by key, where the own one has none', (context) => {
    assert.deepEqual(load(context, est), { labels: { a: { profile: 'p' } }, window: 300_000 });
    const own = `coap:\n  mtu: 1280\n  window: 1m\n${est}`;
    assert.deepEqual(load(context, own), { labels: { a: { profile: 'p' } }, window: 60_000 });
    const all = `coap:\n  labels: { b: { profile: q } }\n${est}`;
    assert.deepEqual(load(context, all).labels, { b: { profile: 'q' } });
    assert.equal(load(context, 'coap:\n  labels: {}\n').window, 600_000);
  });

  test('take what is put over them, and pass over what is put over others', (context) => {
    const given = {
      set: ['est.window=2m', 'est.listen.port=1', 'est.realm=x', 'est.nonsense=1', 'core.x=1', 'coap.defaultLabel=a'],
      environment: {
        GATEHOUSE_EST_LABELS_A_PROFILE: 'from a variable',
        GATEHOUSE_EST_REALM: 'x',
        GATEHOUSE_EST_NONSENSE: 'x',
        GATEHOUSE_COAP_MTU: '1',
      },
    };
    assert.deepEqual(load(context, est, given), {
      labels: { a: { profile: 'from a variable' } },
      defaultLabel: 'a',
      window: 120_000,
    });
    const own = { set: ['coap.window=1s'], environment: { GATEHOUSE_EST_WINDOW: '9s' } };
    assert.equal(load(context, est, own).window, 1_000);
  });

  test('are refused in their own place, all at once', (context) => {
    const text = 'coap:\n  defaultLabel: b\n  window: soon\nest:\n  labels:\n    a: { profil: p }\n';
    const found = problems(context, text);
    assert.equal(found[0], "gatehouse.yaml:6:10: est.labels.a.profil: unknown key; did you mean 'profile'?");
    assert.ok(found.some((line) => line.startsWith('gatehouse.yaml:3:3: coap.window: ')));
    assert.deepEqual(problems(context, `coap:\n  defaultLabel: b\n${est}`), [
      'gatehouse.yaml:2:3: coap.defaultLabel: there is no such label',
    ]);
  });

  test('are refused with what put them there', (context) => {
    assert.deepEqual(problems(context, est, { set: ['est.defaultLabel=b'] }), [
      '--set est.defaultLabel: est.defaultLabel: there is no such label',
    ]);
    const [problem = ''] = problems(context, est, { set: ['est.labels.a.profil=q'] });
    assert.match(problem, /^--set est\.labels\.a\.profil: est\.labels\.a\.profil: unknown key/);
  });

  test('are missing from the section that is the last to ask', (context) => {
    const [problem = ''] = problems(context, 'core: {}\n');
    assert.match(problem, /est\.labels: is required/);
    assert.deepEqual(problems(context, 'coap: 1\nest: []\n').slice(0, 2), [
      'gatehouse.yaml:1:1: coap: must be a mapping',
      'gatehouse.yaml:2:1: est: must be a mapping',
    ]);
  });

  test('are left to the file when it cannot be read', () => {
    const missing = { schema, sections: ['coap', 'est'], file: '/nonexistent.yaml' };
    assert.throws(() => loadSharedConfiguration(missing), /does not exist/);
  });
});
