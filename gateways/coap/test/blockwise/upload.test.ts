import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods, responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import {
  answering,
  block1Of,
  bodyOf,
  entryLifeMs,
  message,
  openSession,
  sendAll,
  uintOf,
  uploadOf,
} from './support/session.ts';

const tag = Buffer.from('a1b2c3d4', 'hex');

describe('RFC 7959 §2.5: uploads in blocks', () => {
  it('RFC 7959 §2.5: gives the handler the whole body once, with the options of its last block', async () => {
    const session = openSession();
    const body = bodyOf(700);
    const answer = await sendAll(session, uploadOf(body, 4, { contentFormat: 286, query: ['a=1'] }));
    assert.equal(answer.code, responseCodes.changed);
    assert.equal(session.requests.length, 1);
    const [request] = session.requests;
    assert.deepEqual(request?.payload, body);
    assert.deepEqual(request?.path, ['est', 'sen']);
    assert.deepEqual(request?.query, ['a=1']);
    assert.equal(request?.contentFormat, 286);
    assert.equal(request?.method, methods.post);
  });

  it('RFC 7959 §2.9.1: answers each block but the last with 2.31 and its Block1', async () => {
    const session = openSession();
    const [first, second] = uploadOf(bodyOf(100), 1);
    assert(first !== undefined && second !== undefined);
    const answer = await session.send(first);
    assert.equal(answer.code, responseCodes.continue);
    assert.deepEqual(block1Of(answer), { number: 0, isMore: true, sizeExponent: 1 });
    assert.deepEqual(block1Of(await session.send(second)), { number: 1, isMore: true, sizeExponent: 1 });
  });

  it('RFC 7959 §2.3: echoes Block1 of the last block in the final answer, and Block2 beside it', async () => {
    const answer = await sendAll(openSession({ preferredBlock: 64 }), uploadOf(bodyOf(100), 2));
    assert.deepEqual(block1Of(answer), { number: 1, isMore: false, sizeExponent: 2 });
    assert(answer.options.some(({ number }) => number === optionNumbers.block2));
  });

  it('RFC 7959 §2.3: takes smaller blocks midway', async () => {
    const session = openSession();
    const body = bodyOf(200);
    await session.send(
      message({ payload: body.subarray(0, 128), block1: { number: 0, isMore: true, sizeExponent: 3 } }),
    );
    const answer = await sendAll(session, [
      message({ payload: body.subarray(128, 160), block1: { number: 4, isMore: true, sizeExponent: 1 } }),
      message({ payload: body.subarray(160, 192), block1: { number: 5, isMore: true, sizeExponent: 1 } }),
      message({ payload: body.subarray(192), block1: { number: 6, isMore: false, sizeExponent: 1 } }),
    ]);
    assert.equal(answer.code, responseCodes.changed);
    assert.deepEqual(session.requests[0]?.payload, body);
  });

  it('RFC 7959 §2.5: block 0 begins afresh', async () => {
    const session = openSession();
    const [first] = uploadOf(bodyOf(100), 1);
    assert(first !== undefined);
    await session.send(first);
    const body = Buffer.from('another body that is long enough for more than one block');
    await sendAll(session, uploadOf(body, 1));
    assert.deepEqual(
      session.requests.map(({ payload }) => payload),
      [body],
    );
    assert.deepEqual(session.ended, ['upload replaced', 'upload complete']);
  });

  it('RFC 7959 §2.5: a repeated block is answered again and not appended', async () => {
    const session = openSession();
    const body = bodyOf(100);
    const messages = uploadOf(body, 1);
    for (const each of messages.slice(0, -1)) {
      const answer = await session.send(each);
      assert.deepEqual(await session.send(each), answer);
    }
    await sendAll(session, messages.slice(-1));
    assert.deepEqual(session.requests[0]?.payload, body);
  });

  it('RFC 7959 §2.5: the last block again gets the same answer, and the handler nothing', async () => {
    const session = openSession();
    const messages = uploadOf(bodyOf(100), 1);
    const answer = await sendAll(session, messages);
    const again = await sendAll(session, messages.slice(-1));
    assert.deepEqual(again.payload, answer.payload);
    assert.equal(again.code, answer.code);
    assert.equal(session.requests.length, 1);
  });

  it('RFC 7959 §2.5: the last block again joins the answer that is being made', async () => {
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const session = openSession({
      handle: async () => {
        asked.resolve();
        await gate.promise;
        return { code: responseCodes.changed, payload: Buffer.from('late') };
      },
    });
    const messages = uploadOf(bodyOf(100), 1);
    const answer = sendAll(session, messages);
    await asked.promise;
    const again = sendAll(session, messages.slice(-1));
    gate.resolve();
    assert.deepEqual(Buffer.from((await answer).payload), Buffer.from('late'));
    assert.deepEqual(Buffer.from((await again).payload), Buffer.from('late'));
    assert.equal(session.requests.length, 1);
  });

  it('RFC 7959 §2.5: a body of one block that comes again is answered again', async () => {
    const session = openSession();
    const [only] = uploadOf(bodyOf(30), 2);
    assert(only !== undefined);
    const answer = await session.send(only);
    assert.deepEqual((await session.send(only)).payload, answer.payload);
    assert.equal(session.requests.length, 1);
  });

  it('RFC 7959 §2.5: and it is asked anew where it was refused', async () => {
    const session = openSession({ handle: answering({ code: responseCodes.forbidden }) });
    const [only] = uploadOf(bodyOf(30), 2);
    assert(only !== undefined);
    await session.send(only);
    assert.equal((await session.send(only)).code, responseCodes.forbidden);
    assert.equal(session.requests.length, 2);
  });

  it('RFC 7959 §2.5: and it is asked anew where that answer is forgotten', async () => {
    const session = openSession();
    const [only] = uploadOf(bodyOf(30), 2);
    assert(only !== undefined);
    const wish = { number: 0, isMore: false, sizeExponent: 0 };
    await session.send(only);
    await session.send(message({ payload: bodyOf(600), path: ['est', 'sren'], block2: wish }));
    assert.equal((await session.send(only)).code, responseCodes.changed);
    assert.equal(session.requests.length, 3);
  });

  it('RFC 7959 §2.5: the last of more blocks is 4.08 where the answer is forgotten', async () => {
    const session = openSession();
    const messages = uploadOf(bodyOf(100), 1);
    const wish = { number: 0, isMore: false, sizeExponent: 0 };
    await sendAll(session, messages);
    await session.send(message({ payload: bodyOf(600), path: ['est', 'sren'], block2: wish }));
    assert.equal((await sendAll(session, messages.slice(-1))).code, responseCodes.requestEntityIncomplete);
    assert.equal(session.requests.length, 2);
  });

  it('RFC 7959 §2.5: another body of one block is another request', async () => {
    const session = openSession();
    await sendAll(session, [...uploadOf(bodyOf(30), 2), ...uploadOf(bodyOf(31), 2)]);
    assert.equal(session.requests.length, 2);
  });

  it('coaps.md §6: knows a transfer without its token', async () => {
    const session = openSession();
    const messages = uploadOf(bodyOf(100), 1, { tag });
    assert.equal(new Set(messages.map(({ token }) => Buffer.from(token).toString('hex'))).size, messages.length);
    assert.equal((await sendAll(session, messages)).code, responseCodes.changed);
  });
});

describe('RFC 9175 §3: Request-Tag', () => {
  const [first, second] = uploadOf(bodyOf(60), 1, { tag });
  assert(first !== undefined && second !== undefined);
  const other = (parts: Parameters<typeof uploadOf>[2]) => uploadOf(bodyOf(60), 1, parts).slice(1);
  const cases = {
    'another tag': { tag: Buffer.from('ff', 'hex') },
    'no tag': {},
    'an empty tag': { tag: new Uint8Array() },
    'another query': { tag, query: ['x'] },
    'another path': { tag, path: ['est', 'sren'] },
    'another method': { tag, method: methods.put },
  };
  for (const [name, parts] of Object.entries(cases)) {
    it(`RFC 9175 §3.3: does not take a block with ${name} for the same body`, async () => {
      const session = openSession();
      await session.send(first);
      assert.equal((await sendAll(session, other(parts))).code, responseCodes.requestEntityIncomplete);
      assert.equal((await session.send(second)).code, responseCodes.changed);
    });
  }

  it('RFC 9175 §3.2.1: absent and empty are not the same', async () => {
    const session = openSession();
    const [untagged] = uploadOf(bodyOf(60), 1);
    assert(untagged !== undefined);
    await session.send(untagged);
    assert.equal(
      (await sendAll(session, other({ tag: new Uint8Array() }))).code,
      responseCodes.requestEntityIncomplete,
    );
  });
});

describe('RFC 7959 §2.9: what is wrong with a block', () => {
  const send = async (...messages: Parameters<typeof message>[0][]) => {
    const session = openSession({ maximumBodyOctets: 256 });
    return { session, answer: await sendAll(session, messages.map(message)) };
  };
  const full = (number: number, sizeExponent = 0) => ({
    payload: bodyOf(16 << sizeExponent),
    block1: { number, isMore: true, sizeExponent },
  });

  it('RFC 7959 §2.9.2: a gap is 4.08, and the upload is dropped', async () => {
    const { session, answer } = await send(full(0), full(2));
    assert.equal(answer.code, responseCodes.requestEntityIncomplete);
    assert.equal((await session.send(message(full(1)))).code, responseCodes.requestEntityIncomplete);
    assert.deepEqual(session.ended, ['upload broken']);
    assert.equal(session.budget.octets, 0);
  });

  it('RFC 7959 §2.9.2: a block without state is 4.08', async () => {
    assert.equal((await send(full(1))).answer.code, responseCodes.requestEntityIncomplete);
  });

  it('RFC 7959 §2.9.2: another Content-Format midway is 4.08, and the upload is dropped', async () => {
    const { session, answer } = await send({ ...full(0), contentFormat: 286 }, { ...full(1), contentFormat: 0 });
    assert.equal(answer.code, responseCodes.requestEntityIncomplete);
    assert.equal(session.budget.octets, 0);
  });

  it('RFC 7959 §2.9.2: a block that contradicts what came is 4.08', async () => {
    const contradicting = {
      ...full(0),
      payload: Buffer.alloc(16, 0xff),
      block1: { number: 1, isMore: true, sizeExponent: 0 },
    };
    const { answer } = await send(full(0), full(1), full(2), contradicting);
    assert.equal(answer.code, responseCodes.requestEntityIncomplete);
  });

  it('RFC 7959 §2.2: SZX 7 is 4.00 in either option, and nothing changes', async () => {
    for (const number of [optionNumbers.block1, optionNumbers.block2]) {
      const reserved = message({ options: [{ number, value: Buffer.from([0x07]) }], payload: bodyOf(16) });
      const session = openSession();
      await session.send(message(full(0)));
      assert.equal((await session.send(reserved)).code, responseCodes.badRequest);
      assert.equal((await session.send(message(full(1)))).code, responseCodes.continue);
    }
  });

  it('RFC 7959 §2.2: a block that others follow and that is not full is 4.00', async () => {
    const { answer } = await send({ payload: bodyOf(15), block1: { number: 0, isMore: true, sizeExponent: 0 } });
    assert.equal(answer.code, responseCodes.badRequest);
  });

  it('RFC 7959 §2.2: a last block that is more than full is 4.00', async () => {
    const { answer } = await send({ payload: bodyOf(17), block1: { number: 0, isMore: false, sizeExponent: 0 } });
    assert.equal(answer.code, responseCodes.badRequest);
  });

  it('RFC 7959 §2.1: Block1 in a GET is 4.00', async () => {
    const { answer } = await send({ method: methods.get, block1: { number: 0, isMore: false, sizeExponent: 0 } });
    assert.equal(answer.code, responseCodes.badRequest);
  });

  it('RFC 7959 §2.9.3: too much is 4.13 with Size1 at the first block that shows it', async () => {
    const session = openSession({ maximumBodyOctets: 256 });
    for (let number = 0; number < 16; number++) {
      assert.equal((await session.send(message(full(number)))).code, responseCodes.continue);
    }
    const answer = await session.send(
      message({ payload: bodyOf(1), block1: { number: 16, isMore: false, sizeExponent: 0 } }),
    );
    assert.equal(answer.code, responseCodes.requestEntityTooLarge);
    assert.equal(uintOf(answer, optionNumbers.size1), 256);
    assert.equal(block1Of(answer), undefined);
    assert.equal(session.budget.octets, 0);
    assert.deepEqual(session.ended, ['upload too-large']);
  });

  it('RFC 7959 §4: a Size1 that is too large is 4.13 at the first block, in blocks or not', async () => {
    const { answer } = await send({ ...full(0), size1: 257 });
    assert.equal(answer.code, responseCodes.requestEntityTooLarge);
    assert.equal((await send({ payload: bodyOf(10), size1: 257 })).answer.code, responseCodes.requestEntityTooLarge);
    assert.equal((await send({ payload: bodyOf(257) })).answer.code, responseCodes.requestEntityTooLarge);
    assert.equal((await send({ ...full(0), size1: 256 })).answer.code, responseCodes.continue);
  });

  it('RFC 7959 §2.5: an upload without progress is forgotten, RFC 7252 §4.8.2', async () => {
    const session = openSession();
    await session.send(message(full(0)));
    session.clock.advance(entryLifeMs);
    assert.equal((await session.send(message(full(1)))).code, responseCodes.requestEntityIncomplete);
    assert.deepEqual(session.ended, ['upload expired']);
    assert.equal(session.budget.octets, 0);
  });

  it('coaps.md §5: a refusal has one line in the log, with its cause, however often it comes', async () => {
    const lines: string[] = [];
    const session = openSession({ lines });
    for (let count = 0; count < 3; count++) await session.send(message(full(1)));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"code":"4.08","cause":"no such transfer"/);
  });

  it('coaps.md §5: a path that is no UTF-8 is 4.00', async () => {
    const session = openSession();
    const options = [{ number: optionNumbers.uriPath, value: Buffer.from([0xff]) }];
    assert.equal((await session.send(message({ path: [], options }))).code, responseCodes.badRequest);
  });
});

describe('RFC 9148 §4.7: not now', () => {
  const notNow = { code: responseCodes.serviceUnavailable, maxAgeSeconds: 60 };

  it('RFC 9148 §4.7: the last block again, after Max-Age, has the whole body answered anew', async () => {
    let isApproved = false;
    const session = openSession({
      handle: async () => (isApproved ? { code: responseCodes.changed, payload: Buffer.from('certificate') } : notNow),
    });
    const body = bodyOf(100);
    const messages = uploadOf(body, 1);
    assert.equal((await sendAll(session, messages)).code, responseCodes.serviceUnavailable);
    isApproved = true;
    session.clock.advance(60_000);
    const answer = await sendAll(session, messages.slice(-1));
    assert.equal(answer.code, responseCodes.changed);
    assert.deepEqual(
      session.requests.map(({ payload }) => payload),
      [body, body],
    );
    await sendAll(session, messages.slice(-1));
    assert.equal(session.requests.length, 2);
  });

  it('RFC 9148 §4.7: before that it says how long there is still to wait, and asks nobody', async () => {
    const session = openSession({ handle: answering(notNow) });
    const messages = uploadOf(bodyOf(100), 1);
    const answer = await sendAll(session, messages);
    assert.equal(uintOf(answer, optionNumbers.maxAge), 60);
    session.clock.advance(20_000);
    const again = await sendAll(session, messages.slice(-1));
    assert.equal(again.code, responseCodes.serviceUnavailable);
    assert.equal(uintOf(again, optionNumbers.maxAge), 40);
    assert.equal(session.requests.length, 1);
  });

  it('RFC 9148 §4.7: all blocks again are another request', async () => {
    const session = openSession({ handle: answering(notNow) });
    const messages = uploadOf(bodyOf(100), 1);
    await sendAll(session, messages);
    await sendAll(session, messages);
    assert.equal(session.requests.length, 2);
  });

  it('RFC 7252 §5.9.3.1: a handler that fails leaves nothing behind', async () => {
    const session = openSession({ handle: () => Promise.reject(new Error('broken')) });
    await assert.rejects(sendAll(session, uploadOf(bodyOf(100), 1)), /broken/);
    assert.equal(session.budget.octets, 0);
  });
});
