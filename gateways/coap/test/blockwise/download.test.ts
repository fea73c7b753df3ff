import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeMessage } from '../../src/message/codec.ts';
import { methods, responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { optionOf } from '../../src/message/options.ts';
import type { CoapResponse } from '../../src/request.ts';
import {
  answering,
  block2Of,
  bodyOf,
  entryLifeMs,
  fetchRest,
  message,
  openSession,
  sendAll,
  uintOf,
  uploadOf,
} from './support/session.ts';

const get = { method: methods.get, path: ['est', 'crts'] };
const body = bodyOf(1_300);
const certificates: CoapResponse = { code: responseCodes.content, contentFormat: 281, payload: body };
const tag = Buffer.from('a1b2c3d4', 'hex');
const block = (number: number, sizeExponent: number) => ({ number, isMore: false, sizeExponent });

describe('RFC 7959 §2.4: responses in blocks', () => {
  it('RFC 7959 §2.4: blocks after the first come from memory, with another token each, and never reach the handler', async () => {
    const session = openSession({ handle: answering(certificates) });
    const first = await session.send(message(get));
    assert.deepEqual(block2Of(first), { number: 0, isMore: true, sizeExponent: 5 });
    assert.deepEqual(await fetchRest(session, first, get), body);
    assert.equal(session.requests.length, 1);
  });

  it('RFC 7959 §2.4: every block has the same ETag, code and Content-Format; the first one Size2', async () => {
    const session = openSession({ handle: answering(certificates) });
    const first = await session.send(message(get));
    const second = await session.send(message({ ...get, block2: block(1, 5) }));
    assert.equal(optionOf(first, optionNumbers.eTag)?.length, 8);
    assert.deepEqual(optionOf(second, optionNumbers.eTag), optionOf(first, optionNumbers.eTag));
    assert.equal(second.code, first.code);
    assert.equal(uintOf(second, optionNumbers.contentFormat), 281);
    assert.equal(uintOf(first, optionNumbers.size2), 1_300);
    assert.equal(uintOf(second, optionNumbers.size2), undefined);
  });

  it('RFC 7959 §2.4: another representation has another ETag', async () => {
    const session = openSession({
      handle: async ({ path }) => ({ ...certificates, payload: bodyOf(600 + path.length) }),
    });
    const one = await session.send(message({ ...get, path: ['a'] }));
    const other = await session.send(message({ ...get, path: ['a', 'b'] }));
    assert.notDeepEqual(optionOf(one, optionNumbers.eTag), optionOf(other, optionNumbers.eTag));
  });

  it('RFC 7959 §4: Size2 in the request is answered, in blocks or not', async () => {
    const session = openSession({ handle: answering({ ...certificates, payload: bodyOf(40) }) });
    assert.equal(uintOf(await session.send(message({ ...get, size2: 0 })), optionNumbers.size2), 40);
    const long = openSession({ handle: answering(certificates) });
    await long.send(message(get));
    assert.equal(
      uintOf(await long.send(message({ ...get, block2: block(1, 5), size2: 0 })), optionNumbers.size2),
      1_300,
    );
  });

  it('RFC 7959 §2.4: what fits into one block goes without Block2, unless the client speaks of blocks', async () => {
    const session = openSession({ handle: answering({ ...certificates, payload: bodyOf(512) }) });
    const answer = await session.send(message(get));
    assert.equal(block2Of(answer), undefined);
    assert.equal(optionOf(answer, optionNumbers.eTag), undefined);
    assert.equal(answer.payload.length, 512);
    const asked = await session.send(message({ ...get, block2: block(0, 6) }));
    assert.deepEqual(block2Of(asked), { number: 0, isMore: false, sizeExponent: 6 });
  });

  for (const [sizeExponent, expected] of [
    [2, 2],
    [4, 4],
    [5, 5],
    [6, 5],
  ] as const) {
    it(`RFC 9148 Appendix B.2: an upload in blocks of ${16 << sizeExponent} octets is answered in such of ${16 << expected}`, async () => {
      const session = openSession({ handle: answering(certificates) });
      const answer = await sendAll(session, uploadOf(bodyOf(1_500), sizeExponent, { method: methods.post }));
      assert.deepEqual(block2Of(answer), { number: 0, isMore: true, sizeExponent: expected });
    });
  }

  for (const sizeExponent of [0, 2, 3, 4, 6]) {
    it(`RFC 7959 §2.4: the client's wish for blocks of ${16 << sizeExponent} octets holds from the first one`, async () => {
      const session = openSession({ handle: answering(certificates) });
      const first = await session.send(message({ ...get, block2: block(0, sizeExponent) }));
      assert.deepEqual(block2Of(first), { number: 0, isMore: true, sizeExponent });
      assert.equal(first.payload.length, 16 << sizeExponent);
      assert.deepEqual(await fetchRest(session, first, get), body);
    });
  }

  it('RFC 7959 §3.3: a wish in a block of the upload holds for the response', async () => {
    const session = openSession({ handle: answering({ ...certificates, code: responseCodes.changed }) });
    const [first, ...rest] = uploadOf(bodyOf(100), 1);
    const [wishing] = uploadOf(bodyOf(100), 1, { block2: block(0, 3) });
    assert(first !== undefined && wishing !== undefined);
    const answer = await sendAll(session, [wishing, ...rest]);
    assert.deepEqual(block2Of(answer), { number: 0, isMore: true, sizeExponent: 3 });
  });

  it('RFC 7959 §2.3: takes another block size midway', async () => {
    const session = openSession({ handle: answering(certificates) });
    const first = await session.send(message({ ...get, block2: block(0, 6) }));
    const second = await session.send(message({ ...get, block2: block(16, 2) }));
    assert.deepEqual(block2Of(second), { number: 16, isMore: true, sizeExponent: 2 });
    const rest = await fetchRest(session, second, get);
    assert(Buffer.isBuffer(rest));
    assert.deepEqual(Buffer.concat([first.payload, rest]), body);
  });

  for (const maximumMessageOctets of [80, 100, 300, 600, 1_100]) {
    it(`coaps.md §3: no block makes a message of more than ${maximumMessageOctets} octets`, async () => {
      const session = openSession({
        handle: answering({ ...certificates, maxAgeSeconds: 100_000 }),
        maximumMessageOctets,
      });
      let answer = await session.send(message({ ...get, block2: block(0, 6) }));
      const rest = await fetchRest(session, answer, get);
      assert.deepEqual(rest, body);
      const encoded = encodeMessage({ ...answer, type: 'ack', messageId: 65_535, token: Buffer.alloc(8) });
      assert(encoded.length <= maximumMessageOctets, `${encoded.length}`);
      answer = await session.send(message({ ...get, block2: block(1, 6) }));
      assert.equal(Buffer.from(answer.payload).equals(body.subarray(1_024, 1_024 + answer.payload.length)), true);
    });
  }

  it('coaps.md §6: libcoap fetches the response to a POST with an empty payload, Request-Tag, Content-Format and Size1', async () => {
    const session = openSession({ handle: answering({ ...certificates, code: responseCodes.changed }) });
    const parts = { tag, contentFormat: 286, size1: 100 };
    const first = await sendAll(session, uploadOf(bodyOf(100), 2, parts));
    assert.deepEqual(await fetchRest(session, first, parts), body);
    assert.equal(session.requests.length, 1);
  });

  it('RFC 9175 §3.3: without Request-Tag the latest response of the resource is meant, with another one none', async () => {
    const session = openSession({ handle: answering({ ...certificates, code: responseCodes.changed }) });
    const first = await sendAll(session, uploadOf(bodyOf(100), 2, { tag }));
    assert.deepEqual(await fetchRest(session, first, {}), body);
    const answer = await session.send(message({ tag: Buffer.from('00', 'hex'), block2: block(1, 5) }));
    assert.equal(answer.code, responseCodes.requestEntityIncomplete);
  });

  it('RFC 9175 §3.2.1: an empty Request-Tag is not an absent one: the response of a request without it is not meant', async () => {
    const session = openSession({ handle: answering({ ...certificates, code: responseCodes.changed }) });
    await sendAll(session, uploadOf(bodyOf(100), 2));
    const empty = message({ tag: new Uint8Array(), block2: block(1, 5) });
    assert.equal((await session.send(empty)).code, responseCodes.requestEntityIncomplete);
    assert.equal((await session.send(message({ block2: block(1, 5) }))).code, responseCodes.changed);
  });

  it('RFC 7959 §3.3: a request with both options asks for a block of the response, and uploads nothing', async () => {
    const session = openSession({ handle: answering({ ...certificates, code: responseCodes.changed }) });
    await sendAll(session, uploadOf(bodyOf(100), 2));
    const begun = uploadOf(bodyOf(200), 2, { path: ['est', 'sren'] });
    await sendAll(session, begun.slice(0, 1));
    const both = { payload: bodyOf(64), block1: { number: 0, isMore: true, sizeExponent: 2 }, block2: block(1, 5) };
    assert.deepEqual(block2Of(await session.send(message(both))), { number: 1, isMore: true, sizeExponent: 5 });
    const lost = await session.send(message({ ...both, path: ['est', 'skg'] }));
    assert.equal(lost.code, responseCodes.requestEntityIncomplete);
    // The upload of the other resource goes on as if nothing had come.
    assert.equal((await sendAll(session, begun.slice(1))).code, responseCodes.changed);
    assert.equal(session.requests.length, 2);
  });

  it('RFC 7252 §5.8.1, §5.10.6.2: a GET may have a payload and an ETag; neither changes its response', async () => {
    const session = openSession({ handle: answering(certificates) });
    const first = await session.send(message(get));
    const eTag = optionOf(first, optionNumbers.eTag) ?? assert.fail();
    const options = [{ number: optionNumbers.eTag, value: eTag }];
    const again = await session.send(message({ ...get, options, payload: bodyOf(30) }));
    assert.deepEqual([again.code, again.payload], [first.code, first.payload]);
    const next = await session.send(message({ ...get, options, payload: bodyOf(30), block2: block(1, 5) }));
    assert.deepEqual(Buffer.from(next.payload), body.subarray(512, 1_024));
  });

  it('RFC 7959 §2.9.2: a block of a response that is gone is 4.08, of another resource too', async () => {
    const session = openSession({ handle: answering(certificates) });
    assert.equal(
      (await session.send(message({ ...get, block2: block(1, 5) }))).code,
      responseCodes.requestEntityIncomplete,
    );
    await session.send(message(get));
    const other = message({ ...get, path: ['est', 'att'], block2: block(1, 5) });
    assert.equal((await session.send(other)).code, responseCodes.requestEntityIncomplete);
    session.clock.advance(entryLifeMs);
    assert.equal(
      (await session.send(message({ ...get, block2: block(1, 5) }))).code,
      responseCodes.requestEntityIncomplete,
    );
    assert.equal(session.requests.length, 1);
    assert.deepEqual(session.ended, ['download expired']);
  });

  it('RFC 7959 §2.4: a block behind the end is 4.00, and the response stays', async () => {
    const session = openSession({ handle: answering(certificates) });
    await session.send(message(get));
    assert.equal((await session.send(message({ ...get, block2: block(3, 5) }))).code, responseCodes.badRequest);
    assert.equal((await session.send(message({ ...get, block2: block(2, 5) }))).code, responseCodes.content);
  });

  it('coaps.md §3: the same block may be asked for again', async () => {
    const session = openSession({ handle: answering(certificates) });
    await session.send(message(get));
    const once = await session.send(message({ ...get, block2: block(1, 5) }));
    assert.deepEqual((await session.send(message({ ...get, block2: block(1, 5) }))).payload, once.payload);
  });
});
