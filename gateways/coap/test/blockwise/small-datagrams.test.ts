// Sessions whose datagrams are small, such as those with a maximum fragment length (RFC 6066 §4): no message that is larger may
// be made, whatever the client asks for and whatever options a response has.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreError } from '@gatehouse/ra-client/core-error';
import fc from 'fast-check';
import { octetsOfBlock } from '../../src/blockwise/block.ts';
import { answerCoreError, answerInternal, toDiagnostic } from '../../src/errors.ts';
import { classOf, formatCode, methods, responseCodes } from '../../src/message/codes.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { uintOptionOf } from '../../src/message/options.ts';
import type { CoapResponse } from '../../src/request.ts';
import { type Heard, openConversation } from './support/conversation.ts';
import { answering, block2Of, bodyOf } from './support/session.ts';

const body = bodyOf(1_500);
/** A response with every option that a response may have, at its longest. */
const loaded: CoapResponse = {
  code: responseCodes.changed,
  contentFormat: 65_535,
  maxAgeSeconds: 0xffff_ffff,
  payload: body,
};

/** The largest blocks that fit with the header, an 8-octet token and all options at their longest. */
const sizes = [
  { maximumMessageOctets: 512, block: 256 },
  { maximumMessageOctets: 256, block: 128 },
  { maximumMessageOctets: 128, block: 64 },
];

for (const { maximumMessageOctets, block } of sizes) {
  describe(`RFC 6066 §4: datagrams of at most ${maximumMessageOctets} octets`, () => {
    for (const wished of [undefined, 0, 2, 3, 4, 5, 6]) {
      // Without a wish the size of the upload's own blocks is one.
      const asked = wished === undefined ? 16 : octetsOfBlock(wished);
      const given = Math.min(asked, block);
      it(`RFC 7959 §2.4: ${wished === undefined ? 'no wish' : `a wish for ${asked}`} is answered in blocks of ${given}`, async () => {
        const { ask, longest, session } = openConversation({ handle: answering(loaded), maximumMessageOctets });
        // The most that Block1 can take: the response to a long upload echoes it.
        const upload = bodyOf(16 * 16 + 1);
        let latest: Heard | undefined;
        for (let number = 0; number <= 16; number++) {
          const block2 = wished === undefined ? undefined : { number: 0, isMore: false, sizeExponent: wished };
          [latest] = await ask({
            payload: upload.subarray(16 * number, 16 * (number + 1)),
            block1: { number, isMore: number < 16, sizeExponent: 0 },
            block2,
          });
          if (number < 16) assert.equal(formatCode(latest?.code ?? 0), '2.31');
        }
        const blocks: Uint8Array[] = [];
        for (let number = 0; latest !== undefined; number++) {
          assert.deepEqual(block2Of(latest)?.number, number);
          assert.equal(octetsOfBlock(block2Of(latest)?.sizeExponent ?? 7), given);
          blocks.push(latest.payload);
          if (block2Of(latest)?.isMore !== true) break;
          const sizeExponent = block2Of(latest)?.sizeExponent ?? 7;
          [latest] = await ask({ block2: { number: number + 1, isMore: false, sizeExponent } });
        }
        assert.deepEqual(Buffer.concat(blocks), body);
        assert.equal(session.requests.length, 1);
        assert.ok(longest() <= maximumMessageOctets, `${longest()}`);
      });
    }

    it('RFC 7959 §2.4: a later block that is asked for in a larger size comes in the size that fits', async () => {
      const { ask, longest } = openConversation({ handle: answering(loaded), maximumMessageOctets });
      await ask({ method: methods.get });
      const [answer = assert.fail()] = await ask({
        method: methods.get,
        block2: { number: 1, isMore: false, sizeExponent: 6 },
      });
      const { number, sizeExponent } = block2Of(answer) ?? assert.fail();
      assert.deepEqual([octetsOfBlock(sizeExponent), number * block], [block, 1_024]);
      assert.deepEqual(Buffer.from(answer.payload), body.subarray(1_024, 1_024 + block));
      assert.ok(longest() <= maximumMessageOctets, `${longest()}`);
    });

    it('RFC 7252 §5.5.2: refusals with their diagnostics go whole', async () => {
      const detail = 'é'.repeat(60);
      const answers: readonly CoapResponse[] = [
        answerInternal('01M7ZT4PBWJ1QBN59ZS559PX27'),
        answerCoreError(new CoreError('unavailable', detail, { retryAfterSeconds: 1e9 })),
        answerCoreError(new CoreError('malformed', detail)),
      ];
      for (const answer of answers) {
        for (const block1 of [undefined, { number: 0, isMore: false, sizeExponent: 6 }]) {
          const { ask, longest } = openConversation({ handle: answering(answer), maximumMessageOctets });
          const [heard = assert.fail()] = await ask({ payload: bodyOf(20), block1 });
          assert.equal(heard.code, answer.code);
          assert.deepEqual(Buffer.from(heard.payload), Buffer.from(answer.payload ?? []));
          assert.ok(longest() <= maximumMessageOctets, `${longest()}`);
        }
      }
      assert.equal(toDiagnostic(detail).length <= 64, true);
    });

    it('RFC 7252 §5.5.2: one that is too long goes in blocks, or without where it says "not now"', async () => {
      const payload = Buffer.alloc(maximumMessageOctets, 'x');
      for (const code of [responseCodes.badRequest, responseCodes.serviceUnavailable]) {
        for (const block1 of [undefined, { number: 0, isMore: false, sizeExponent: 6 }]) {
          const handle = answering({ code, payload, maxAgeSeconds: 60 });
          const { ask, longest } = openConversation({ handle, maximumMessageOctets });
          const [heard = assert.fail()] = await ask({ payload: bodyOf(20), block1 });
          assert.equal(heard.code, code);
          assert.equal(uintOptionOf(heard, optionNumbers.maxAge), 60);
          assert.ok(longest() <= maximumMessageOctets, `${longest()}`);
        }
      }
    });
  });
}

describe('RFC 6066 §4: whatever the size of datagrams', () => {
  it('nothing larger is sent, and what is said fits together', async () => {
    const blockValue = fc.record({ number: fc.nat(40), isMore: fc.boolean(), sizeExponent: fc.nat(6) });
    const asks = fc.array(
      fc.record({
        method: fc.constantFrom(methods.get, methods.post),
        block1: fc.option(blockValue, { nil: undefined }),
        block2: fc.option(blockValue, { nil: undefined }),
        octets: fc.oneof(fc.nat(1_100), fc.constantFrom(16, 64, 1_024)),
      }),
      { minLength: 1, maxLength: 12 },
    );
    const responses = fc.record({
      code: fc.constantFrom(responseCodes.changed, responseCodes.badRequest, responseCodes.serviceUnavailable),
      octets: fc.nat(2_000),
      maxAgeSeconds: fc.option(fc.nat(0xffff_ffff), { nil: undefined }),
      isSecret: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 96, max: 1_300 }), responses, asks, async (maximumMessageOctets, one, all) => {
        const { octets, ...rest } = one;
        const handle = async (): Promise<CoapResponse> => ({ ...rest, contentFormat: 281, payload: bodyOf(octets) });
        const { ask, longest, close } = openConversation({ handle, maximumMessageOctets });
        for (const each of all) {
          const { method, block1, block2 } = each;
          const [heard = assert.fail()] = await ask({ method, block1, block2, payload: bodyOf(each.octets) });
          assert.notEqual(heard.code, responseCodes.internalServerError);
          const block = block2Of(heard);
          if (block?.isMore === true) assert.equal(heard.payload.length, octetsOfBlock(block.sizeExponent));
          if (block !== undefined && classOf(heard.code) === 2 && block2 !== undefined)
            assert.ok(block.sizeExponent <= block2.sizeExponent);
        }
        assert.ok(longest() <= maximumMessageOctets, `${longest()}`);
        close();
      }),
      { numRuns: 300 },
    );
  });
});
