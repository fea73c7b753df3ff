// Key files: what they hold, and one clear message for each thing that can be wrong with them.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DerCursor, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { generateSoftwareKey, keyAlgorithms, loadEncryptedKey, saveEncryptedKey } from '../../src/keys/software-key.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;
const newPath = () => join(directory, `${++count}.key.pem`);
const passphrase = 'correct horse';

function savedKey(): string {
  const path = newPath();
  saveEncryptedKey(path, generateSoftwareKey('ecdsa-p256'), passphrase);
  return path;
}

/** Asserts that loading fails with this message and with a hint. */
function refuses(path: string, message: RegExp, hint: RegExp, withPassphrase = passphrase): void {
  assert.throws(
    () => loadEncryptedKey(path, withPassphrase),
    (error) => {
      assert.ok(error instanceof FatalError);
      assert.match(error.message, message);
      assert.ok(error.message.includes(path), 'the message names the file');
      assert.match(error.hint ?? '', hint);
      assert.ok(!error.message.includes(withPassphrase), 'no secret in a message');
      return true;
    },
  );
}

describe('RFC 5958 §3: keys are kept encrypted', () => {
  for (const algorithm of keyAlgorithms.filter((name) => name !== 'rsa-4096')) {
    it(`a key of kind ${algorithm} comes back from its file`, () => {
      const path = newPath();
      const key = generateSoftwareKey(algorithm);
      saveEncryptedKey(path, key, passphrase);
      assert.ok(loadEncryptedKey(path, passphrase).equals(key));
    });
  }

  it('RFC 8018 §6.2: with PBES2 and AES-256, in a file of mode 0600', () => {
    const path = savedKey();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const [block] = decodePem(readFileSync(path, 'latin1'), ['ENCRYPTED PRIVATE KEY']);
    assert.ok(block);
    const algorithm = new DerCursor(block.der).enter(tags.sequence).enter(tags.sequence);
    assert.equal(readObjectIdentifier(algorithm.read(tags.objectIdentifier)), '1.2.840.113549.1.5.13');
    const parameters = algorithm.enter(tags.sequence);
    parameters.skip(tags.sequence);
    const cipher = parameters.enter(tags.sequence).read(tags.objectIdentifier);
    assert.equal(readObjectIdentifier(cipher), '2.16.840.1.101.3.4.1.42');
  });

  it('refuses to write over a key', () => {
    const path = savedKey();
    const before = readFileSync(path);
    assert.throws(() => saveEncryptedKey(path, generateSoftwareKey('ed25519'), passphrase), {
      name: 'FatalError',
      message: /exists already/,
    });
    assert.deepEqual(readFileSync(path), before);
  });

  it('refuses an empty passphrase', () => {
    assert.throws(() => saveEncryptedKey(newPath(), generateSoftwareKey('ed25519'), ''), { name: 'FatalError' });
  });
});

describe('each fault of a key file has one message', () => {
  it('missing', () => refuses(newPath(), /is missing/, /backup/));

  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    it(`usable by group or others: ${mode.toString(8)}`, () => {
      const path = savedKey();
      chmodSync(path, mode);
      refuses(path, new RegExp(`mode 0${mode.toString(8)}`), /chmod 600/);
    });
  }

  it('wrong passphrase', () => refuses(savedKey(), /passphrase/, /passphrase file/, 'wrong horse'));

  it('no PEM at all', () => {
    const path = newPath();
    writeFileSync(path, 'nothing of the kind', { mode: 0o600 });
    refuses(path, /is corrupt/, /backup/);
  });

  it('an empty file', () => {
    const path = newPath();
    writeFileSync(path, '', { mode: 0o600 });
    refuses(path, /is corrupt/, /backup/);
  });

  it('cut off', () => {
    const path = savedKey();
    writeFileSync(path, readFileSync(path).subarray(0, 200));
    refuses(path, /is corrupt/, /backup/);
  });

  it('octets missing inside of the armour', () => {
    const path = savedKey();
    const [block] = decodePem(readFileSync(path, 'latin1'), ['ENCRYPTED PRIVATE KEY']);
    assert.ok(block);
    writeFileSync(path, encodePem('ENCRYPTED PRIVATE KEY', block.der.subarray(0, -7)));
    refuses(path, /is corrupt/, /backup/);
  });

  it('octets changed inside of the encrypted key', () => {
    const path = savedKey();
    const [block] = decodePem(readFileSync(path, 'latin1'), ['ENCRYPTED PRIVATE KEY']);
    assert.ok(block);
    const damaged = Buffer.from(block.der);
    // The first block of the ciphertext: its plain text is the head of the PrivateKeyInfo.
    const first = damaged.length - 144;
    damaged.fill(0x55, first, first + 8);
    writeFileSync(path, encodePem('ENCRYPTED PRIVATE KEY', damaged));
    refuses(path, /is corrupt/, /backup/);
  });

  it('not encrypted', () => {
    const path = newPath();
    writeFileSync(path, generateSoftwareKey('ed25519').export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    refuses(path, /is not encrypted/, /openssl pkcs8/);
  });

  it('two keys in one file', () => {
    const path = savedKey();
    const text = readFileSync(path, 'latin1');
    writeFileSync(path, text + text);
    refuses(path, /is corrupt/, /backup/);
  });
});
