import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';

const head = `
  import { runProcess, refuseOldNode } from '@gatehouse/runtime/lifecycle';
  import { FatalError } from '@gatehouse/runtime/fatal';
  import { createLog } from '@gatehouse/runtime/log';
  const log = createLog({ name: 'child', level: process.env.LEVEL ?? 'info' });
  const stay = () => setInterval(() => {}, 1000);
  const say = (text) => process.stdout.write(text + '\\n');
`;

type Ended = { readonly code: number | null; readonly output: readonly string[]; readonly errors: string };

/** Runs a program; `onLine` is told each line of its output and may send signals. */
async function run(
  program: string,
  onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + program], { cwd: import.meta.dirname });
  const output: string[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  createInterface(child.stdout).on('line', (line) => {
    output.push(line);
    onLine(line, (signal) => child.kill(signal));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, errors };
}

describe('process life: shutdown', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`stops its parts in reverse order on ${signal} and exits with 0`, async () => {
      const { code, output } = await run(
        `await runProcess({ name: 'child', log, start: async (life) => {
          life.onShutdown('first', () => say('first'));
          life.onShutdown('second', async () => { await new Promise(setImmediate); say('second'); });
          stay(); say('started');
        } });`,
        (line, kill) => line === 'started' && kill(signal),
      );
      assert.equal(code, 0);
      assert.deepEqual(output, ['started', 'second', 'first']);
    });
  }

  test('goes on with the next part when one fails to stop, and logs which', async () => {
    const { code, output, errors } = await run(
      `await runProcess({ name: 'child', log, start: async (life) => {
        life.onShutdown('first', () => say('first'));
        life.onShutdown('second', () => { throw new Error('stuck valve'); });
        stay(); life.shutdown('done');
      } });`,
    );
    assert.equal(code, 0);
    assert.deepEqual(output, ['first']);
    assert.match(errors, /"part":"second"/);
    assert.match(errors, /stuck valve/);
  });

  test('does not wait longer than its deadline, and says for what it waited', async () => {
    const { code, errors } = await run(
      `await runProcess({ name: 'child', log, shutdownTimeoutMs: 20, start: async (life) => {
        life.onShutdown('endless', () => new Promise(() => {}));
        stay(); life.shutdown('done');
      } });`,
    );
    assert.equal(code, 1);
    assert.match(errors, /"waitingFor":"endless"/);
  });

  test('ends at once at the second signal', async () => {
    const { code } = await run(
      `await runProcess({ name: 'child', log, start: async (life) => {
        life.onShutdown('endless', () => { say('stopping'); return new Promise(() => {}); });
        stay(); say('started');
      } });`,
      (line, kill) => kill(line === 'started' ? 'SIGTERM' : 'SIGINT'),
    );
    assert.equal(code, 130);
  });

  test('takes one Ctrl-C that comes twice for one', async () => {
    const { code, output } = await run(
      `await runProcess({ name: 'child', log, start: async (life) => {
        life.onShutdown('slow', () => new Promise((resolve) => process.on('SIGINT', () => { say('again'); setImmediate(resolve); })));
        life.onShutdown('first', () => say('stopping'));
        stay(); say('started');
      } });`,
      (line, kill) => (line === 'started' || line === 'stopping') && kill('SIGINT'),
    );
    assert.equal(code, 0);
    assert.deepEqual(output, ['started', 'stopping', 'again']);
  });

  test('stops what a start has made when the signal comes in the middle of it', async () => {
    const { code, output } = await run(
      `await runProcess({ name: 'child', log, start: async (life) => {
        life.onShutdown('first', () => say('first'));
        stay(); say('starting'); await new Promise(() => {});
      } });`,
      (line, kill) => line === 'starting' && kill('SIGTERM'),
    );
    assert.equal(code, 0);
    assert.deepEqual(output, ['starting', 'first']);
  });

  test('exits with the code that the process asked for', async () => {
    const { code } = await run(
      `await runProcess({ name: 'child', log, start: async (life) => life.shutdown('restart', 75) });`,
    );
    assert.equal(code, 75);
  });
});

describe('process life: errors', () => {
  test('a fatal error is one message with its hint, without a stack trace, and its exit code', async () => {
    const { code, output, errors } = await run(
      `await runProcess({ name: 'child', log: createLog({ name: 'child', level: 'warn' }), start: async (life) => {
        life.onShutdown('first', () => say('first'));
        throw new FatalError('the key is gone', { hint: 'restore it', exitCode: 78, cause: new Error('inner') });
      } });`,
    );
    assert.equal(code, 78);
    assert.equal(errors, 'the key is gone\n  restore it\n');
    assert.deepEqual(output, ['first']);
  });

  for (const [what, statement] of [
    ['an exception that nobody catches', `setImmediate(() => { throw new Error('surprise'); });`],
    ['a rejection that nobody handles', `Promise.reject(new Error('surprise'));`],
    ['an error in the start', `throw new Error('surprise');`],
  ] as const) {
    test(`${what} is logged and ends the process with 1`, async () => {
      const { code, errors } = await run(
        `await runProcess({ name: 'child', log, start: async () => { stay(); ${statement} } });`,
      );
      assert.equal(code, 1);
      const line = JSON.parse(errors.split('\n')[0] ?? '') as { level: string; err: { message: string } };
      assert.equal(line.level, 'fatal');
      assert.equal(line.err.message, 'surprise');
    });
  }
});

describe('process life: version of Node.js', () => {
  test('refuses an older one with one clear message', async () => {
    const { code, errors } = await run(`refuseOldNode('22.18.0'); say('on');`);
    assert.equal(code, 1);
    assert.match(errors, /^Gatehouse needs Node\.js 26 or newer, but this is 22\.18\.0\n {2}.*npm/);
  });

  test('accepts this one and newer ones', async () => {
    const { output } = await run(`refuseOldNode(); refuseOldNode('27.0.0'); refuseOldNode('100.1.0'); say('on');`);
    assert.deepEqual(output, ['on']);
  });
});
