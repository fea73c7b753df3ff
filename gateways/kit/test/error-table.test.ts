import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneLine } from '@gatehouse/gateway-kit/answer';
import {
  answerCoreError,
  describeCoreError,
  type ErrorTable,
  type HttpError,
  httpErrors,
  noteCoreError,
} from '@gatehouse/gateway-kit/error-table';
import { CoreError, type CoreErrorType, coreErrorTypes } from '@gatehouse/ra-client/core-error';
import fc from 'fast-check';

const types = Object.keys(coreErrorTypes) as CoreErrorType[];

describe('EST requirements §5: what an error of the core becomes', () => {
  for (const type of types) {
    it(`${type}: one line of plain text with its status`, async () => {
      const answer = answerCoreError(new CoreError(type, 'the detail'));
      assert.equal(answer.status, httpErrors[type].status);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
      assert.match(await answer.text(), /^[^\n]+\n$/);
    });
  }

  it('Retry-After is in whole seconds: what the core said, else what the table says, and only where the table has it', () => {
    const retryAfter = (error: CoreError, table?: ErrorTable<HttpError>) =>
      answerCoreError(error, table).headers.get('retry-after');
    assert.equal(retryAfter(new CoreError('unavailable', 'away')), '5');
    assert.equal(retryAfter(new CoreError('unavailable', 'away', { retryAfterSeconds: 17 })), '17');
    assert.equal(retryAfter(new CoreError('rate-limited', 'too fast', { retryAfterSeconds: 0.2 })), '1');
    assert.equal(retryAfter(new CoreError('bad-csr', 'no', { retryAfterSeconds: 17 })), null);
    assert.equal(
      retryAfter(new CoreError('conflict', 'busy'), { ...httpErrors, conflict: { status: 409, retryAfterSeconds: 9 } }),
      '9',
    );
  });

  it('an internal error gives its incident and nothing else', () => {
    assert.equal(
      describeCoreError(new CoreError('internal', 'table users is locked', { incident: '01ABC' })),
      'internal error, incident 01ABC',
    );
    assert.equal(describeCoreError(new CoreError('internal', 'table users is locked')), 'internal error');
  });

  it('every refused name is named', () => {
    const error = new CoreError('rejected-name', 'names are refused', {
      names: [
        { name: { name: { $case: 'dns', value: 'a' } }, type: 'out-of-scope', detail: 'a is not yours' },
        { name: { name: { $case: 'dns', value: 'b' } }, type: 'out-of-scope', detail: 'b is not yours' },
      ],
    });
    assert.equal(describeCoreError(error), 'names are refused: a is not yours; b is not yours');
  });

  it('the log keeps the cause of what is not the client’s fault', () => {
    const cause = new Error('disk');
    const error = new CoreError('internal', 'x', { incident: '01', cause });
    assert.deepEqual(noteCoreError(error), { outcome: 'internal', detail: 'x', incident: '01', err: error });
    assert.deepEqual(noteCoreError(new CoreError('bad-csr', 'y')), { outcome: 'bad-csr', detail: 'y' });
  });

  it('no detail breaks out of its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = oneLine(text);
        assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
        assert.ok(line.length <= 512);
      }),
    );
  });
});
