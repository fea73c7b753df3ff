import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { writePrivateFile } from '@gatehouse/runtime/private-file';
import { openSharedSecrets, parseSharedSecrets } from '../src/shared-secrets.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const secret = 'sixteen characters';
const write = (name: string, text: string, mode = 0o600): string => {
  const path = join(directory, name);
  writeFileSync(path, text, { mode });
  return path;
};

describe('shared-secrets.yaml', () => {
  const read = (text: string) => parseSharedSecrets(text, 'shared-secrets.yaml');

  it('holds two kinds of secrets for a user, each of them or both', () => {
    const secrets = read(`secrets: [{ user: a, identity: ${secret} }, { user: b, revocation: ${secret} }]`);
    assert.deepEqual(secrets.get('a'), { identity: secret, revocation: undefined });
    assert.deepEqual(secrets.get('b'), { identity: undefined, revocation: secret });
    assert.equal(read('secrets: []').size, 0);
  });

  it('is refused with its line for a secret that is short, a user that is none, and a key that is unknown', () => {
    for (const [entry, detail] of [
      ['{ user: a, identity: short }', /:1:.*at least 16/s],
      [`{ user: 'a b', identity: ${secret} }`, /:1:/],
      [`{ user: a, identiti: ${secret} }`, /identity/],
      [`{ user: a, identity: ${secret}, revocation: ${secret} }`, /must differ/],
      [`{ user: a, identity: ${secret} }, { user: a, revocation: ${secret} }`, /twice/],
    ] as const) {
      assert.throws(
        () => read(`secrets: [${entry}]`),
        (error) => error instanceof FatalError && detail.test(error.message),
      );
    }
  });

  it('is refused when others may read it', () => {
    const file = write('s.yaml', `secrets: [{ user: a, identity: ${secret} }]`);
    chmodSync(file, 0o640);
    assert.throws(() => openSharedSecrets(file, createLog({ name: 'test', level: 'silent' })), FatalError);
  });

  it('is followed, and a wrong change leaves the secrets in use', { timeout: 20_000 }, async () => {
    const file = write('s.yaml', `secrets: [{ user: a, identity: ${secret} }]`);
    const lines = new PassThrough();
    const secrets = openSharedSecrets(file, createLog({ name: 'test', destination: lines }), 5);
    after(() => secrets.close());
    const refused = once(lines, 'data');
    writePrivateFile(file, 'secrets: [{ user: a }, { user: a }]');
    const [refusal] = await refused;
    assert.match(String(refusal), /cannot be used/);
    assert.equal(secrets.find('a')?.identity, secret);
    const taken = once(lines, 'data');
    writePrivateFile(file, `secrets: [{ user: b, identity: another ${secret} }]`);
    const [line] = await taken;
    assert.ok(!String(line).includes(secret));
    assert.equal(secrets.find('a'), undefined);
    assert.equal(secrets.find('b')?.identity, `another ${secret}`);
  });
});
