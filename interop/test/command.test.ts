import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandError, lastLines, output, runCommand } from '../src/command.ts';

const script = (text: string) => ['--eval', text] as const;

describe('programs of others', () => {
  it('get their input, and give status and output', async () => {
    const text = "process.stdin.pipe(process.stdout); process.stderr.write('said'); process.exitCode = 3";
    const { status, stdout, stderr } = await runCommand(process.execPath, script(text), { input: 'given' });
    assert.deepEqual([status, stdout.toString(), stderr], [3, 'given', 'said']);
  });

  it('may end before they have read their input', async () => {
    const { status } = await runCommand(process.execPath, script(''), { input: Buffer.alloc(1_000_000) });
    assert.equal(status, 0);
  });

  it('are named when they cannot be started', async () => {
    await assert.rejects(runCommand('no-such-program', []), /no-such-program cannot be started/);
  });

  it('are ended when they hang', async () => {
    const hang = script('setInterval(() => undefined, 1000)');
    await assert.rejects(runCommand(process.execPath, hang, { timeoutMs: 300 }), CommandError);
  });

  it('that must succeed have the end of what they said in the error', async () => {
    const failing = script("process.stderr.write('one\\ntwo\\n\\nthree\\nfour\\n'); process.exitCode = 1");
    await assert.rejects(output(process.execPath, failing), /status 1: two \| three \| four$/);
    assert.equal(lastLines(''), '');
  });
});
