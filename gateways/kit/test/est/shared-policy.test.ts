import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ownEstPolicyShape } from '@gatehouse/gateway-kit/est/configuration';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { loadSharedEstPolicy } from '@gatehouse/gateway-kit/est/shared-policy';
import { ConfigurationError } from '@gatehouse/runtime/configuration';
import { z } from 'zod';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'gatehouse.yaml');

const load = (text: string, set: readonly string[] = [], environment: Record<string, string> = {}) => {
  writeFileSync(file, text);
  return loadSharedEstPolicy({ section: 'coap', file, set, environment });
};
const problemsOf = (text: string, set: readonly string[] = []): readonly string[] => {
  try {
    load(text, set);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.message.split('\n').map((line) => line.replaceAll(file, 'gatehouse.yaml'));
  }
  return [];
};

const est = `est:
  core: { credential: est.pem }
  users: users.yaml
  labels:
    device: { profile: device-identity }
  defaultLabel: device
  trustAnchors:
    - { name: maker, file: maker.pem, labels: [device] }
  retryWindow: 1m
`;

describe('one policy for all doors', () => {
  it('is that of EST, with the defaults of EST, and nothing else of its section', () => {
    const policy = load(est);
    assert.deepEqual(Object.keys(policy).toSorted(), Object.keys(ownEstPolicyShape).toSorted());
    assert.equal(policy.labels.device?.profile, 'device-identity');
    assert.equal(policy.labels.device?.channelBinding.policy, 'optional');
    assert.deepEqual([policy.retryWindow, policy.collectWindow], [60_000, 7 * 86_400_000]);
    assert.equal(collectLabels(policy).find(undefined)?.name, 'device');
  });

  it('gives way to what the own section says, key by key', () => {
    const policy = load(`coap:\n  mtu: 1280\n  trustAnchors: []\n  collectWindow: 1h\n${est}`);
    assert.deepEqual(policy.trustAnchors, []);
    assert.equal(policy.collectWindow, 3_600_000);
    assert.equal(policy.retryWindow, 60_000);
    const own = 'coap:\n  labels: { other: { profile: p } }\n  defaultLabel: other\n  trustAnchors: []\n';
    assert.deepEqual(Object.keys(load(own + est).labels), ['other']);
    assert.deepEqual(Object.keys(load(own).labels), ['other']);
  });

  it('hears of what is put over the section of EST, and passes over the rest of it', () => {
    const set = ['est.retryWindow=2m', 'est.listen.port=7031', 'est.backOff.userFailures=3', 'est.nonsense=1'];
    const environment = { GATEHOUSE_EST_COLLECT_WINDOW: '3h', GATEHOUSE_EST_REALM: 'x', GATEHOUSE_EST_TYPO: 'x' };
    const policy = load(est, set, environment);
    assert.deepEqual([policy.retryWindow, policy.collectWindow], [120_000, 3 * 3_600_000]);
  });

  it('is refused with the line of the key, in the section that has it', () => {
    assert.deepEqual(problemsOf(`coap:\n  defaultLabel: gone\n${est}`), [
      "gatehouse.yaml:2:3: coap.defaultLabel: there is no label 'gone'",
    ]);
    assert.deepEqual(problemsOf(est.replace('labels: [device]', 'labels: [gone]')), [
      "gatehouse.yaml:8:39: est.trustAnchors.0.labels: there is no label 'gone'",
    ]);
    const [unknown] = problemsOf(est.replace('profile:', 'profil:'));
    assert.equal(unknown, "gatehouse.yaml:5:15: est.labels.device.profil: unknown key; did you mean 'profile'?");
    // The labels of the own section take the place of all of those that the anchor of the other speaks of.
    assert.deepEqual(problemsOf(`coap:\n  labels: { other: { profile: p } }\n  defaultLabel: other\n${est}`), [
      "gatehouse.yaml:11:39: est.trustAnchors.0.labels: there is no label 'device'",
    ]);
    assert.deepEqual(problemsOf(est, ['est.defaultLabel=gone']), [
      "--set est.defaultLabel: est.defaultLabel: there is no label 'gone'",
    ]);
    assert.match(problemsOf('coap: {}\n')[0] ?? '', /est\.labels: is required/);
  });

  it('has the same keys in both places', () => {
    const own = z.strictObject(ownEstPolicyShape);
    assert.deepEqual(own.parse({}), {});
    assert.equal(own.parse({ retryWindow: '1m' }).retryWindow, 60_000);
    assert.equal(own.safeParse({ labels: { 'a/b': { profile: 'p' } } }).success, false);
  });
});
