import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { createBlockBudget } from '../../src/blockwise/budget.ts';
import { formatCode, methods, responseCodes } from '../../src/message/codes.ts';
import type { ResponseMessage } from '../../src/message/message.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import type { CoapResponse } from '../../src/request.ts';
import { entryLifeMs, message, noMetrics, openSession } from './support/session.ts';

const maximumOctets = 12_000;
const maximumBodyOctets = 4_096;

const small = fc.nat(5);
const blockValue = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(small, fc.boolean(), fc.nat(7))
      .map(([number, isMore, exponent]) => (number << 4) | (isMore ? 8 : 0) | exponent),
  },
  { weight: 1, arbitrary: fc.nat(0xff_ffff) },
);
const hostileMessage = fc.record({
  kind: fc.constant('message' as const),
  session: fc.nat(2),
  method: fc.constantFrom(methods.get, methods.post, methods.fetch),
  path: fc.constantFrom('sen', 'skg'),
  query: fc.constantFrom(undefined, 'a', 'b'),
  tag: fc.constantFrom(undefined, Buffer.alloc(0), Buffer.from([1]), Buffer.from([2])),
  contentFormat: fc.constantFrom(undefined, 286, 0),
  block1: fc.option(blockValue, { nil: undefined, freq: 8 }),
  block2: fc.option(blockValue, { nil: undefined, freq: 2 }),
  size1: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(0xffff_ffff) }),
  /** Whether the payload is as long as the block says. */
  isFitting: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  octets: fc.nat(1_100),
});
type HostileMessage = typeof hostileMessage extends fc.Arbitrary<infer Value> ? Value : never;

/** The last blocks that were sent come again in a moment: a client that goes on where it was gets further. */
const upload = fc.tuple(hostileMessage, fc.integer({ min: 1, max: 6 }), fc.nat(6)).map(([first, count, exponent]) =>
  Array.from({ length: count }, (_, number) => ({
    ...first,
    method: methods.post,
    isFitting: true,
    size1: undefined,
    block1: (number << 4) | (number + 1 < count ? 8 : 0) | exponent,
    block2: undefined,
  })),
);
const step = fc.oneof(
  { weight: 6, arbitrary: hostileMessage.map((one) => [one]) },
  { weight: 4, arbitrary: upload },
  { weight: 2, arbitrary: fc.constant([{ kind: 'answer' as const }]) },
  { weight: 1, arbitrary: fc.nat(entryLifeMs).map((ms) => [{ kind: 'time' as const, ms }]) },
);

function optionValue(value: number): Buffer {
  const octets = Buffer.from([value >>> 16, (value >>> 8) & 0xff, value & 0xff]);
  return octets.subarray(octets.findIndex((octet) => octet !== 0) < 0 ? 3 : octets.findIndex((octet) => octet !== 0));
}

/** Octets that say which transfer they belong to and where they stand in it. */
function octetsAt(
  { session, path, query, tag, contentFormat, method }: HostileMessage,
  offset: number,
  length: number,
): Buffer {
  const key = `${session} ${method} ${path} ${query} ${tag?.toString('hex')} ${contentFormat}`;
  const salt = [...key].reduce((sum, character) => (sum * 33 + character.charCodeAt(0)) >>> 0, 5);
  return Buffer.from(
    Array.from({ length }, (_, index) => ((offset + index) * 7 + ((offset + index) >> 8) + salt) & 0xff),
  );
}

function toMessage(given: HostileMessage) {
  const { block1, block2, isFitting } = given;
  const exponent = (block1 ?? 0) & 7;
  const fitting = ((block1 ?? 0) & 8) !== 0 ? 16 << exponent : Math.min(given.octets, 16 << exponent);
  const length = block1 === undefined || !isFitting ? given.octets : fitting;
  const offset = block1 === undefined ? 0 : (block1 >>> 4) * (16 << exponent);
  return message({
    method: given.method,
    path: [given.path],
    query: given.query === undefined ? [] : [given.query],
    tag: given.tag,
    contentFormat: given.contentFormat,
    size1: given.size1,
    payload: octetsAt(given, offset, length),
    options: [
      ...(block2 === undefined ? [] : [{ number: optionNumbers.block2, value: optionValue(block2) }]),
      ...(block1 === undefined ? [] : [{ number: optionNumbers.block1, value: optionValue(block1) }]),
    ],
  });
}

const expected: ReadonlySet<string> = new Set(['2.31', '2.04', '4.00', '4.08', '4.13', '5.03']);

describe('RFC 7959 §7: hostile clients', () => {
  it('RFC 7959 §7.1: whatever they send: precise answers, whole bodies, bounded memory, every delivery settled once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), async (steps) => {
        const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));
        let highest = 0;
        const budget = createBlockBudget({
          maximumOctets,
          entryLifeMs,
          clock,
          metrics: {
            ...noMetrics,
            stateOctets: (octets) => {
              highest = Math.max(highest, octets);
            },
          },
        });
        const waiting: (() => void)[] = [];
        const settled: number[] = [];
        const secrets: Uint8Array[] = [];
        const handle = async ({
          path,
          payload,
        }: {
          path: readonly string[];
          payload: Uint8Array;
        }): Promise<CoapResponse> => {
          await new Promise<void>((resolve) => waiting.push(resolve));
          const body = Buffer.alloc(100 + payload.length, 0x5a);
          if (path[0] !== 'skg') return { code: responseCodes.changed, payload: body };
          const index = secrets.push(body) - 1;
          settled[index] = 0;
          const settle = (): void => {
            settled[index] = (settled[index] ?? 0) + 1;
          };
          return {
            code: responseCodes.changed,
            payload: body,
            isSecret: true,
            onDelivered: settle,
            onUndelivered: async () => settle(),
          };
        };
        const sessions = Array.from({ length: 3 }, () => openSession({ handle, budget, clock, maximumBodyOctets }));
        const answers: Promise<ResponseMessage>[] = [];
        const sent: HostileMessage[][] = [[], [], []];
        for (const each of steps.flat()) {
          if (each.kind === 'answer') for (const go of waiting.splice(0)) go();
          else if (each.kind === 'time') clock.advance(each.ms);
          else {
            sent[each.session]?.push(each);
            const answer = sessions[each.session]?.send(toMessage(each));
            if (answer !== undefined) answers.push(answer);
          }
          // Lets whoever can go on do so.
          await new Promise((resolve) => setImmediate(resolve));
        }
        while (waiting.length > 0) {
          for (const go of waiting.splice(0)) go();
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const answer of await Promise.all(answers))
          assert(expected.has(formatCode(answer.code)), formatCode(answer.code));
        for (const [index, { requests }] of sessions.entries()) {
          for (const { payload, options } of requests) {
            const isWhole = sent[index]?.some((given) => octetsAt(given, 0, payload.length).equals(payload));
            assert(isWhole === true, `a body of ${payload.length} octets with ${options.length} options is not whole`);
            assert(payload.length <= maximumBodyOctets);
          }
        }
        for (const { blockwise } of sessions) blockwise.close();
        await new Promise((resolve) => setImmediate(resolve));
        assert(highest <= maximumOctets, `${highest} octets were held`);
        assert.equal(budget.octets, 0);
        assert.equal(budget.entries, 0);
        assert(
          settled.every((times) => times === 1),
          `settled ${settled.join()} times`,
        );
        assert(secrets.every((secret) => secret.every((octet) => octet === 0)));
        budget.close();
      }),
      { numRuns: 150 },
    );
  });
});
