import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { responseCodes } from '../../src/message/codes.ts';
import type { RequestMessage, ResponseMessage } from '../../src/message/message.ts';
import {
  backwards,
  block1Of,
  block2Of,
  entryLifeMs,
  message,
  openSession,
  type TestSession,
} from './support/session.ts';

/**
 * What becomes of one message of the client. All but `anew` repeat the very message, which the message layer knows again by its
 * Message ID (RFC 7252 §4.5); `anew` is the same block in a message of its own.
 */
type Fate =
  | 'arrives'
  | 'is lost'
  | 'answer is lost'
  | 'comes twice'
  | 'an old one comes again'
  | 'anew'
  | 'long silence';

const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>('arrives') },
  { weight: 6, arbitrary: fc.constantFrom<Fate>('is lost', 'answer is lost', 'comes twice', 'anew') },
  { weight: 3, arbitrary: fc.constant<Fate>('an old one comes again') },
);
const fates = fc.array(fate, { maxLength: 60 });
const plan = fc.record({
  octets: fc.nat(2_500),
  uploadSizes: fc.array(fc.nat(6), { minLength: 1, maxLength: 6 }),
  downloadSizes: fc.array(fc.nat(6), { minLength: 1, maxLength: 6 }),
  tag: fc.option(fc.uint8Array({ maxLength: 8 }), { nil: undefined }),
  wishes: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

/** A network with the message layer's memory: a message that comes again gets the reply that it got. */
function connect(session: TestSession, script: Fate[]) {
  const replies = new Map<RequestMessage, ResponseMessage>();
  const deliver = async (request: RequestMessage): Promise<ResponseMessage> => {
    const reply = replies.get(request) ?? (await session.send(request));
    replies.set(request, reply);
    return reply;
  };
  return async (parts: Parameters<typeof message>[0]): Promise<ResponseMessage> => {
    let request = message(parts);
    // Who waits for an answer gives up long before EXCHANGE_LIFETIME is over (RFC 7252 §4.8.2): only between two messages.
    if (script[0] === 'long silence') {
      session.clock.advance(entryLifeMs);
      replies.clear();
    }
    for (;;) {
      const next = script.shift() ?? 'arrives';
      if (next === 'is lost') continue;
      if (next === 'anew') request = message(parts);
      if (next === 'an old one comes again') {
        const [old] = replies.keys();
        if (old !== undefined) await deliver(old);
      }
      const answer = await deliver(request);
      if (next === 'comes twice') assert.deepEqual(await deliver(request), answer);
      if (next !== 'answer is lost') return answer;
    }
  };
}

/** Size exponents by turns, never larger than before, each where its blocks can begin. */
function sizeAt(sizes: readonly number[], index: number, offset: number, largest: number): number {
  let exponent = Math.min(sizes[index % sizes.length] ?? 0, largest);
  while (offset % (16 << exponent) !== 0) exponent--;
  return exponent;
}

/** Plays one transfer. @returns the response's body, or the answer that ended it */
async function transfer(
  ask: (parts: Parameters<typeof message>[0]) => Promise<ResponseMessage>,
  body: Buffer,
  { uploadSizes, downloadSizes, tag, wishes }: Plan,
): Promise<Buffer | ResponseMessage> {
  const common = { tag, contentFormat: 286, size1: body.length };
  let answer: ResponseMessage;
  let offset = 0;
  let largest = 6;
  for (let index = 0; ; index++) {
    largest = sizeAt(uploadSizes, index, offset, largest);
    const octets = 16 << largest;
    const isMore = offset + octets < body.length;
    const block1 = { number: offset / octets, isMore, sizeExponent: largest };
    const block2 = wishes ? { number: 0, isMore: false, sizeExponent: downloadSizes[0] ?? 0 } : undefined;
    answer = await ask({ ...common, payload: body.subarray(offset, offset + octets), block1, block2 });
    if (answer.code !== (isMore ? responseCodes.continue : responseCodes.changed)) return answer;
    assert.deepEqual(block1Of(answer), block1);
    offset += octets;
    if (!isMore) break;
  }
  const blocks = [Buffer.from(answer.payload)];
  let latest = block2Of(answer);
  let received = answer.payload.length;
  for (let index = 1; latest?.isMore === true; index++) {
    const sizeExponent = sizeAt(downloadSizes, index, received, latest.sizeExponent);
    answer = await ask({ ...common, block2: { number: received / (16 << sizeExponent), isMore: false, sizeExponent } });
    if (answer.code !== responseCodes.changed) return answer;
    latest = block2Of(answer);
    blocks.push(Buffer.from(answer.payload));
    received += answer.payload.length;
  }
  return Buffer.concat(blocks);
}

function bodyOfAttempt(octets: number, attempt: number): Buffer {
  return Buffer.from(Array.from({ length: octets + 1 }, (_, index) => (index === 0 ? attempt : (index * 31) & 0xff)));
}

describe('RFC 7959: an honest client on a lossy network', () => {
  it('RFC 7959 §2.3: any loss, repetition and order: the handler runs once, and both bodies are whole', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fates, async (given, script) => {
        const session = openSession();
        const body = bodyOfAttempt(given.octets, 0);
        const result = await transfer(connect(session, [...script]), body, given);
        assert.deepEqual(result, backwards(body));
        assert.deepEqual(
          session.requests.map(({ payload }) => payload),
          [body],
        );
        session.blockwise.close();
        assert.equal(session.budget.octets, 0);
      }),
      { numRuns: 500 },
    );
  });

  it('RFC 7959 §2.9.2: with long silences as well: whole, or 4.08 and begun again; never twice the same body', async () => {
    const withSilence = fc.array(
      fc.oneof({ weight: 9, arbitrary: fate }, { weight: 1, arbitrary: fc.constant<Fate>('long silence') }),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(plan, withSilence, async (given, script) => {
        const session = openSession();
        const ask = connect(session, [...script]);
        for (let attempt = 0; ; attempt++) {
          const body = bodyOfAttempt(given.octets, attempt);
          const result = await transfer(ask, body, given);
          assert(session.requests.filter(({ payload }) => body.equals(payload)).length <= 1);
          if (Buffer.isBuffer(result)) {
            assert.deepEqual(result, backwards(body));
            return;
          }
          assert.equal(result.code, responseCodes.requestEntityIncomplete);
          assert(attempt <= script.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
