import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

const modules = new URL('../src/', import.meta.url);

/** A process that logs to a pipe; its script sees `log`, and is told to go on by a line on standard input. */
function start(script: string) {
  const source = `
    import { createLog } from '${new URL('log.ts', modules)}';
    const log = createLog({ name: 'child', level: 'info' });
    const goOn = () => new Promise((resolve) => process.stdin.once('data', resolve));
    ${script}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['pipe', 'pipe', 'pipe'] });
}

describe('lines on standard error', () => {
  test('are all there when the process ends at once', async () => {
    const child = start(`for (let index = 0; index < 5000; index++) log.info({ index }, 'line'); process.exit(0);`);
    const text = (await Array.fromAsync(child.stderr.setEncoding('utf8'))).join('');
    const indexes = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).index);
    assert.equal(indexes.length, 5000);
    assert.deepEqual(
      indexes.toSorted((a, b) => a - b),
      Array.from({ length: 5000 }, (_, index) => index),
    );
  });

  test('do not keep a process from ending whose reader is gone', { timeout: 20_000 }, async () => {
    const child = start(
      `console.log('up'); await goOn(); log.info('nobody reads this'); log.flush(); process.exit(7);`,
    );
    await once(child.stdout, 'data');
    child.stderr.destroy();
    await once(child.stderr, 'close');
    child.stdin.write('go on\n');
    assert.deepEqual(await once(child, 'exit'), [7, null]);
  });

  test('do not end a process whose reader is gone', { timeout: 20_000 }, async () => {
    const child = start(`
      console.log('up'); await goOn();
      for (let count = 0; count < 100; count++) { log.info('nobody reads this'); await new Promise(setImmediate); }
      process.exit(7);`);
    await once(child.stdout, 'data');
    child.stderr.destroy();
    await once(child.stderr, 'close');
    child.stdin.write('go on\n');
    assert.deepEqual(await once(child, 'exit'), [7, null]);
  });
});
