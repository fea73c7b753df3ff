import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { writePrivateFile } from '@gatehouse/runtime/private-file';
import { readSecret, secretSchema } from '@gatehouse/runtime/secret';
import { temporaryDirectory } from './support/directory.ts';

describe('secrets in configuration', () => {
  test('are read from a file below the data directory, without the line end', (context) => {
    const directory = temporaryDirectory(context);
    writePrivateFile(join(directory, 'passphrase'), 'correct horse \n');
    assert.equal(readSecret({ file: 'passphrase' }, directory), 'correct horse ');
  });

  test('are read from an environment variable', () => {
    assert.equal(readSecret({ environment: 'A_SECRET' }, '/', { A_SECRET: 'x' }), 'x');
  });

  test('are refused when the variable is missing or empty', () => {
    assert.throws(
      () => readSecret({ environment: 'A_SECRET' }, '/', {}),
      /A_SECRET should hold a secret but is not set/,
    );
    assert.throws(() => readSecret({ environment: 'A_SECRET' }, '/', { A_SECRET: '' }), /not set/);
  });

  test('are refused when the file is missing, empty, or others may read it', (context) => {
    const directory = temporaryDirectory(context);
    const path = join(directory, 'passphrase');
    assert.throws(
      () => readSecret({ file: 'passphrase' }, directory, {}, 'core.keys.passphrase'),
      (error) => error instanceof FatalError && /not exist/.test(error.message) && /core\.keys/.test(error.hint ?? ''),
    );
    writeFileSync(path, '\n', { mode: 0o600 });
    assert.throws(() => readSecret({ file: 'passphrase' }, directory), /is empty/);
    chmodSync(path, 0o644);
    assert.throws(() => readSecret({ file: 'passphrase' }, directory), /mode 0644/);
  });

  test('cannot be written into the configuration itself', () => {
    assert.equal(secretSchema.safeParse('hunter2').success, false);
    assert.equal(secretSchema.safeParse({ value: 'hunter2' }).success, false);
  });
});
