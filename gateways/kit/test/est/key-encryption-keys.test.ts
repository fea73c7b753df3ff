import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { keyEncryptionSchema, loadKeyEncryptionKeys } from '@gatehouse/gateway-kit/est/key-encryption-keys';
import { createManufacturer, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-encryption-keys-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const manufacturer = createManufacturer('CN=Maker CA');
const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 });

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
    write(
      'right.pem',
      encodePem('CERTIFICATE', manufacturer.issue({ subject: 'CN=any use', key: newKey(), usages: [] })),
    );
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
