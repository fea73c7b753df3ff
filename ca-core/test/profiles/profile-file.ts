/** Profile files for tests: a good one, with some of its top-level keys replaced. */
import assert from 'node:assert/strict';
import { loadProfiles } from '../../src/profiles/load-profiles.ts';
import type { Profile } from '../../src/profiles/profile.ts';
import { validateProfile } from '../../src/profiles/validate-profile.ts';

const good: Readonly<Record<string, string>> = {
  name: 'test',
  description: 'a test',
  subject: '{ rule: from-request, attributes: [{ type: CN, presence: optional }] }',
  names: '{ allowed: [dns, ip] }',
  keys: '[{ kind: ec, curves: [P-256] }, { kind: rsa }]',
  keyUsage: '[digitalSignature]',
  extendedKeyUsage: '[serverAuth]',
  validity: '{ default: 1d, maximum: 2d }',
};

/** The text of a profile file, one key a line. */
export function profileFile(changes: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...good, ...changes })
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

/** The profile of such a file, which must be good. */
export function profile(changes: Readonly<Record<string, string>> = {}): Profile {
  const result = validateProfile(profileFile(changes), 'test.yaml');
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.profile;
}

/** The problems of such a file, each as 'path: message'. */
export function problems(changes: Readonly<Record<string, string>>): readonly string[] {
  const result = validateProfile(profileFile(changes), 'test.yaml');
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** A built-in profile. */
export function builtin(name: string): Profile {
  const found = loadProfiles().get(name);
  assert.ok(found !== undefined, name);
  return found;
}
