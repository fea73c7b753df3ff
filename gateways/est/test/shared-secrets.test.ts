import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { writePrivateFile } from '@gatehouse/runtime/private-file';
import { keyEncryptionSchema, loadKeyEncryptionKeys } from '../src/key-encryption-keys.ts';
import { openSharedSecrets, parseSharedSecrets } from '../src/shared-secrets.ts';
import { selfSignedCertificate } from './support/cmc.ts';
import { manufacturer } from './support/cms-settings.ts';
import { newKey } from './support/requests.ts';

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

describe('RFC 7030 §4.4.1: keys that generated keys are encrypted to', () => {
  const load = (settings: object) =>
    loadKeyEncryptionKeys(keyEncryptionSchema.parse(settings), (path) => join(directory, path));

  it('are known by octets of text or of hexadecimal digits, under their labels', () => {
    write('a.key', 'ab'.repeat(16));
    write('b.key', `${'cd'.repeat(32)}\n`);
    const keys = load({
      keys: [
        { id: 'text', file: 'a.key' },
        { id: 'hex:00FF', file: 'b.key', labels: ['x'] },
      ],
    });
    assert.equal(keys.findKey('x', Buffer.from('text'))?.length, 16);
    assert.equal(keys.findKey('x', Buffer.of(0, 0xff))?.length, 32);
    assert.equal(keys.findKey('y', Buffer.of(0, 0xff)), undefined);
    assert.equal(keys.findKey('x', Buffer.from('hex:00FF')), undefined);
  });

  it('are refused at the start: no key, no file, readable by others, an id that is none', () => {
    write('short.key', 'ab'.repeat(15));
    write('open.key', 'ab'.repeat(16));
    chmodSync(join(directory, 'open.key'), 0o644);
    for (const file of ['short.key', 'open.key', 'missing.key']) {
      assert.throws(() => load({ keys: [{ id: 'a', file }] }), FatalError);
    }
    for (const id of ['', 'hex:', 'hex:0', 'hex:zz']) {
      assert.equal(keyEncryptionSchema.safeParse({ keys: [{ id, file: 'a' }] }).success, false, id);
    }
  });

  it('are refused when a certificate is none, or its key is not for encryption', () => {
    write('right.pem', encodePem('CERTIFICATE', selfSignedCertificate(newKey(), 'CN=any use').der));
    const device = manufacturer.issue({ subject: 'CN=signs only', key: newKey() });
    write('signing.pem', encodePem('CERTIFICATE', device));
    write('none.pem', 'nothing');
    assert.equal(load({ certificates: [{ file: 'right.pem' }] }).certificates('any').length, 1);
    for (const file of ['signing.pem', 'none.pem', 'missing.pem']) {
      assert.throws(
        () => load({ certificates: [{ file }] }),
        (error) => error instanceof FatalError && error.message.includes(file),
      );
    }
  });
});
