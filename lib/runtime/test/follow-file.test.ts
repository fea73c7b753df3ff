import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { followFile } from '../src/follow-file.ts';

const refuse = (): void => assert.fail('not expected');

describe('followFile', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-follow-'));
  const file = join(directory, 'file');
  const read = (): string => readFileSync(file, 'utf8');
  after(() => rmSync(directory, { recursive: true }));

  /** What comes of the next look after `change`. */
  async function lookAfter(change: () => void): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const failed = (): void => resolve('failed');
    const followed = followFile({ file, intervalMs: 5, read, changed: resolve, failed });
    // The timer keeps no process alive; this one does while the test waits.
    const keepAlive = setInterval(() => undefined, 1_000);
    change();
    const came = await promise;
    followed.close();
    clearInterval(keepAlive);
    return came;
  }

  it('takes contents that change and a file that is replaced, and tells of one that is gone', async () => {
    writeFileSync(file, 'first');
    assert.equal(await lookAfter(() => writeFileSync(file, 'other contents')), 'other contents');
    const replace = () => {
      writeFileSync(`${file}.new`, 'third');
      renameSync(`${file}.new`, file);
    };
    assert.equal(await lookAfter(replace), 'third');
    assert.equal(await lookAfter(() => rmSync(file)), 'failed');
  });

  it('sees a change that comes while the file is read for the first time', async () => {
    writeFileSync(file, 'before');
    const { promise, resolve } = Promise.withResolvers<string>();
    let reads = 0;
    const readAndChange = (): string => {
      const text = read();
      if (reads++ === 0) writeFileSync(file, 'changed meanwhile');
      return text;
    };
    const followed = followFile({ file, intervalMs: 5, read: readAndChange, changed: resolve, failed: refuse });
    const keepAlive = setInterval(() => undefined, 1_000);
    assert.equal(followed.first, 'before');
    assert.equal(await promise, 'changed meanwhile');
    followed.close();
    clearInterval(keepAlive);
  });

  it('looks when it is told to, and tells once of a file that is out of reach', () => {
    writeFileSync(file, 'before');
    const came: string[] = [];
    const failed = (): void => void came.push('failed');
    const followed = followFile({ file, intervalMs: 60_000, read, changed: (text) => void came.push(text), failed });
    followed.look();
    writeFileSync(file, 'after it');
    followed.look();
    rmSync(file);
    followed.look();
    followed.look();
    followed.close();
    assert.deepEqual(came, ['after it', 'failed']);
  });

  it('throws what the first reading throws', () => {
    const missing = { file: join(directory, 'none'), intervalMs: 1_000, changed: refuse, failed: refuse };
    assert.throws(() => followFile({ ...missing, read: () => readFileSync(missing.file) }), { code: 'ENOENT' });
  });
});
