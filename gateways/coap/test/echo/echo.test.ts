import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { createEchoGuard, createEchoValues } from '../../src/echo.ts';
import { methods, responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { optionOf } from '../../src/message/options.ts';

const afterIdleMs = 60_000;

function open() {
  const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));
  const values = createEchoValues(clock);
  const guardOf = (sessionId: string) =>
    createEchoGuard({
      values,
      sessionId,
      afterIdleMs,
      clock,
      handle: async () => ({ code: responseCodes.content, options: [], payload: new Uint8Array() }),
    });
  const guard = guardOf('a');
  const ask = (echo?: Uint8Array, handler = guard) =>
    handler({
      method: methods.get,
      options: echo === undefined ? [] : [{ number: optionNumbers.echo, value: echo }],
      payload: new Uint8Array(),
      token: new Uint8Array(),
      messageId: 1,
      isConfirmable: true,
      receivedAt: clock.now(),
    });
  const challenge = async (): Promise<Uint8Array> => {
    clock.advance(afterIdleMs + 1);
    const answer = await ask();
    assert.equal(answer.code, responseCodes.unauthorized);
    const value = optionOf(answer, optionNumbers.echo);
    assert(value !== undefined && value.length >= 1 && value.length <= 40);
    return value;
  };
  return { clock, values, guardOf, ask, challenge };
}

describe('RFC 9175 §2: Echo', () => {
  it('RFC 9175 §2.3: who was heard of a short while ago is not asked', async () => {
    const { clock, ask } = open();
    for (let count = 0; count < 3; count++) {
      clock.advance(afterIdleMs);
      assert.equal((await ask()).code, responseCodes.content);
    }
  });

  it('RFC 9175 §2.3: after a silence a request gets 4.01 until one echoes the value', async () => {
    const { ask, challenge } = open();
    const value = await challenge();
    assert.equal((await ask()).code, responseCodes.unauthorized);
    assert.equal((await ask(value)).code, responseCodes.content);
    assert.equal((await ask()).code, responseCodes.content);
  });

  it('RFC 9175 §2.3: an old value is none', async () => {
    const { clock, ask, challenge } = open();
    const value = await challenge();
    clock.advance(93_001);
    assert.equal((await ask(value)).code, responseCodes.unauthorized);
  });

  it('RFC 9175 §5: a value of another session is none', async () => {
    const { clock, guardOf, ask, challenge } = open();
    const value = await challenge();
    const other = guardOf('b');
    clock.advance(afterIdleMs + 1);
    assert.equal((await ask(value, other)).code, responseCodes.unauthorized);
  });

  it('RFC 9175 §5: nobody can make a value up', () => {
    const { values } = open();
    const value = Buffer.from(values.make('a'));
    assert(values.isFresh('a', value));
    fc.assert(
      fc.property(
        fc.nat(value.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 40 }),
        (position, bits, other) => {
          const changed = Buffer.from(value);
          changed[position] = (changed[position] ?? 0) ^ bits;
          assert(!values.isFresh('a', changed));
          assert(!values.isFresh('a', other));
        },
      ),
    );
  });

  it('RFC 9175 §2.2.1: an Echo that nobody asked for has no effect', async () => {
    const { ask } = open();
    assert.equal((await ask(Buffer.from('anything'))).code, responseCodes.content);
  });
});
