import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writeFileAtomic, writePrivateFile } from '@gatehouse/runtime/private-file';
import { temporaryDirectory } from './support/directory.ts';

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

describe('private files: writing', () => {
  test('makes the file readable for its owner only, whatever the umask', (context) => {
    const path = join(temporaryDirectory(context), 'key.pem');
    const umask = process.umask(0);
    context.after(() => process.umask(umask));
    writePrivateFile(path, 'secret');
    assert.equal(mode(path), 0o600);
    assert.equal(readPrivateFile(path).toString(), 'secret');
  });

  test('gives the mode that was asked for, whatever the umask', (context) => {
    const path = join(temporaryDirectory(context), 'root.pem');
    const umask = process.umask(0o077);
    context.after(() => process.umask(umask));
    writeFileAtomic(path, 'public', 0o644);
    assert.equal(mode(path), 0o644);
  });

  test('replaces a file that was readable for others by one that is not', (context) => {
    const path = join(temporaryDirectory(context), 'key.pem');
    writeFileSync(path, 'old', { mode: 0o644 });
    writePrivateFile(path, Buffer.from('new'));
    assert.equal(mode(path), 0o600);
    assert.equal(readFileSync(path, 'utf8'), 'new');
  });

  test('leaves no temporary file behind, neither after success nor after failure', (context) => {
    const directory = temporaryDirectory(context);
    mkdirSync(join(directory, 'taken'));
    writeFileSync(join(directory, 'taken', 'x'), '');
    writePrivateFile(join(directory, 'key.pem'), 'x');
    assert.throws(() => writePrivateFile(join(directory, 'taken'), 'x'), FatalError);
    assert.deepEqual(readdirSync(directory).sort(), ['key.pem', 'taken']);
  });

  test('never takes the place of a device or a pipe', (context) => {
    const path = join(temporaryDirectory(context), 'pipe');
    execFileSync('mkfifo', [path]);
    assert.throws(
      () => writePrivateFile(path, 'secret'),
      (error) => error instanceof FatalError && error.message.includes('a device or a pipe'),
    );
    assert.ok(lstatSync(path).isFIFO());
  });

  test('says that the directory is missing', (context) => {
    const path = join(temporaryDirectory(context), 'no', 'key.pem');
    assert.throws(() => writePrivateFile(path, 'x'), {
      name: 'FatalError',
      message: `cannot write ${path}: its directory does not exist`,
    });
  });
});

describe('private files: reading', () => {
  for (const bits of [0o640, 0o604, 0o620, 0o666, 0o610]) {
    test(`refuses mode ${bits.toString(8)}, naming the mode and the chmod that mends it`, (context) => {
      const path = join(temporaryDirectory(context), 'key.pem');
      writePrivateFile(path, 'secret');
      chmodSync(path, bits);
      assert.throws(
        () => readPrivateFile(path),
        (error) =>
          error instanceof FatalError &&
          error.message.includes(`mode 0${bits.toString(8)}`) &&
          error.hint === `run: chmod 600 '${path}'`,
      );
    });
  }

  test('accepts a file that not even its owner may write', (context) => {
    const path = join(temporaryDirectory(context), 'key.pem');
    writePrivateFile(path, 'secret');
    chmodSync(path, 0o400);
    assert.equal(readPrivateFile(path).toString(), 'secret');
  });

  test('looks at the file behind a symbolic link', (context) => {
    const directory = temporaryDirectory(context);
    writeFileSync(join(directory, 'open'), 'x', { mode: 0o644 });
    symlinkSync('open', join(directory, 'link'));
    assert.throws(() => readPrivateFile(join(directory, 'link')), /mode 0644/);
  });

  test('says that a file is missing', (context) => {
    const path = join(temporaryDirectory(context), 'key.pem');
    assert.throws(() => readPrivateFile(path), {
      name: 'FatalError',
      message: `cannot read ${path}: it does not exist`,
    });
  });

  test('refuses a directory', (context) => {
    assert.throws(() => readPrivateFile(temporaryDirectory(context)), /is not a file/);
  });

  test('refuses what is too large for a key', (context) => {
    const path = join(temporaryDirectory(context), 'key.pem');
    writePrivateFile(path, Buffer.alloc(1024 * 1024 + 1));
    assert.throws(() => readPrivateFile(path), /larger than/);
  });
});
