import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { recordingLog } from './support/log.ts';

describe('log lines', () => {
  test('are JSON with time, level, process name and message', () => {
    const { log, lines } = recordingLog();
    log.info({ requestId: 'r' }, 'certificate issued');
    const [line] = lines;
    assert.equal(line?.level, 'info');
    assert.equal(line?.name, 'test');
    assert.equal(line?.requestId, 'r');
    assert.equal(line?.msg, 'certificate issued');
    assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('have an error with its cause under err', () => {
    const { log, lines } = recordingLog();
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    assert.match(JSON.stringify(lines), /"message":"outer: inner"/);
  });
});

describe('secrets in log records', () => {
  test('are replaced at the top, below it, and in child loggers', () => {
    const { log, lines } = recordingLog();
    const record = { password: 'p1', user: { name: 'demo', passphrase: 'p2', deeper: { challengePassword: 'p3' } } };
    log.child({ token: 'p4' }).info(record, 'x');
    const text = JSON.stringify(lines);
    for (const secret of ['p1', 'p2', 'p3', 'p4']) assert.ok(!text.includes(`"${secret}"`), secret);
    assert.ok(text.includes('demo'));
    assert.equal(record.user.passphrase, 'p2', 'the record of the caller is not changed');
  });
});

describe('log level', () => {
  test('drops what is below it', () => {
    const { log, lines } = recordingLog('warn');
    log.info('no');
    log.warn('yes');
    assert.deepEqual(
      lines.map((line) => line.msg),
      ['yes'],
    );
  });

  test('is taken from GATEHOUSE_LOG_LEVEL when none is given', (context) => {
    context.after(() => delete process.env.GATEHOUSE_LOG_LEVEL);
    process.env.GATEHOUSE_LOG_LEVEL = 'error';
    assert.equal(createLog({ name: 'test' }).level, 'error');
  });

  test('is refused when it is unknown', () => {
    assert.throws(() => createLog({ name: 'test', level: 'loud' }), FatalError);
  });
});
