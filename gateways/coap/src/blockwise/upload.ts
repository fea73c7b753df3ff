// The request body that one session sends, RFC 7959 §2.5: one at a time, block after block, in memory of the budget. A block
// is appended at most once and only where the body ends; whoever leaves a gap begins again. A whole body is given away once:
// its last block, repeated, gets the same answer, except where that was "not now" (RFC 9148 §4.7).

import type { Clock } from '@gatehouse/runtime/clock';
import type { ResponseMessage } from '../message/message.ts';
import { type Block, octetsOfBlock, offsetOfBlock } from './block.ts';
import type { BlockBudget, BlockHold } from './budget.ts';
import type { GivenResponse } from './delivery.ts';
import type { RequestFields } from './fields.ts';
import type { BlockMetrics, TransferOutcome } from './metrics.ts';

/** What a whole body is answered with. */
export type UploadAnswer = {
  /** The message that answers the last block, as often as it comes. */
  readonly respond: (fields: RequestFields) => ResponseMessage;
  /** Whether the body was refused for good: who sends it once more, from block 0 on, is judged once more. */
  readonly isRefusal: boolean;
  /** Whether it cannot be given any more: what was kept of the response is forgotten. */
  readonly isGone: () => boolean;
  /** Epoch milliseconds from which the last block, repeated, has the body answered anew; undefined: the answer stands. */
  readonly retryAt?: number | undefined;
};

type LastBlock = { readonly offset: number; readonly payload: Uint8Array };

type UploadState =
  | { readonly kind: 'receiving' }
  | { readonly kind: 'running'; readonly last: LastBlock; readonly answer: Promise<UploadAnswer> }
  | { readonly kind: 'answered'; readonly last: LastBlock; readonly answer: UploadAnswer };

type Upload = {
  readonly key: string;
  readonly contentFormat: number | undefined;
  readonly hold: BlockHold;
  body: Buffer;
  length: number;
  /** Block2 of the latest block that had one: the size that the client wants to be answered in, RFC 7959 §3.3. */
  wish: Block | undefined;
  state: UploadState;
};

/** What a block did. */
export type UploadStep =
  | { readonly kind: 'continue' }
  /** The body is whole; it is being answered now or was before. `wish` is what was said about the response's blocks. */
  | { readonly kind: 'whole'; readonly answer: Promise<UploadAnswer>; readonly wish: Block | undefined }
  | { readonly kind: 'bad-block' | 'incomplete'; readonly defect: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-room' };

/** The upload of a session. */
export type Uploads = {
  /** Takes one block. */
  take(fields: RequestFields, block: Block): UploadStep;
  /** Forgets a body whose answer is gone, and with it what holds the answer. */
  forgetGone(): void;
  close(): void;
};

/** What {@link createUploads} takes. */
export type UploadsOptions = {
  readonly maximumBodyOctets: number;
  readonly budget: BlockBudget;
  readonly clock: Clock;
  readonly metrics: BlockMetrics;
  /** Has a whole body answered. The body is gone once that is done. */
  readonly ask: (fields: RequestFields, body: Uint8Array) => Promise<GivenResponse>;
  /** Where the response says "not now": epoch milliseconds from which the same body may be answered anew. */
  readonly retryAt: (response: GivenResponse) => number | undefined;
  /** Keeps a response; the memory of its body is free by then. */
  readonly keep: (fields: RequestFields, response: GivenResponse, retryAt: number | undefined) => UploadAnswer;
};

// Growing by doubling keeps the copies few; the budget counts what is allocated, not what is filled. Nothing here comes from
// Node's pool for small buffers: a few octets of it would keep all of it alive, unaccounted.
const firstCapacity = 1_024;

/** Creates the place of a session's upload. */
export function createUploads(options: UploadsOptions): Uploads {
  const { maximumBodyOctets, budget, clock, metrics } = options;
  let current: Upload | undefined;

  const forget = (outcome: TransferOutcome): void => {
    if (current === undefined) return;
    if (current.state.kind === 'receiving') metrics.ended('upload', outcome);
    // A body that is being answered takes memory until that has ended: run() releases it.
    if (current.state.kind !== 'running') current.hold.release();
    current = undefined;
  };

  const begin = (fields: RequestFields, block: Block): Upload | undefined => {
    forget('replaced');
    const capacity = block.isMore ? Math.min(maximumBodyOctets, firstCapacity) : fields.payload.length;
    const hold = budget.hold(capacity, (cause) => {
      if (current === upload) forget(cause);
    });
    if (hold === undefined) {
      metrics.ended('upload', 'refused');
      return undefined;
    }
    const upload: Upload = {
      key: fields.transferKey,
      contentFormat: fields.contentFormat,
      hold,
      body: Buffer.alloc(capacity),
      length: 0,
      wish: undefined,
      state: { kind: 'receiving' },
    };
    current = upload;
    return upload;
  };

  const append = (upload: Upload, payload: Uint8Array): boolean => {
    const needed = upload.length + payload.length;
    if (needed > upload.body.length) {
      const capacity = Math.min(maximumBodyOctets, Math.max(needed, 2 * upload.body.length));
      if (!upload.hold.resize(capacity)) return false;
      const grown = Buffer.alloc(capacity);
      upload.body.copy(grown, 0, 0, upload.length);
      upload.body = grown;
    }
    upload.body.set(payload, upload.length);
    upload.length = needed;
    upload.hold.touch();
    return true;
  };

  const run = (upload: Upload, fields: RequestFields, last: LastBlock): Promise<UploadAnswer> => {
    upload.hold.pin();
    const answer = options.ask(fields, upload.body.subarray(0, upload.length)).then(
      (response) => {
        const retryAt = options.retryAt(response);
        if (retryAt === undefined) {
          upload.body = Buffer.alloc(0);
          upload.hold.resize(last.payload.length);
        }
        if (current === upload) upload.hold.touch();
        else upload.hold.release();
        const settled = options.keep(fields, response, retryAt);
        upload.state = { kind: 'answered', last, answer: settled };
        return settled;
      },
      (error: unknown) => {
        upload.hold.release();
        if (current === upload) current = undefined;
        throw error;
      },
    );
    upload.state = { kind: 'running', last, answer };
    return answer;
  };

  /** The last block of a whole body again, or what else comes for it. */
  const repeat = (upload: Upload, fields: RequestFields, block: Block): UploadStep => {
    const { state } = upload;
    if (state.kind === 'receiving' || !isLast(state.last, fields, block))
      return { kind: 'incomplete', defect: 'the body is whole already' };
    upload.wish = fields.block2 ?? upload.wish;
    if (state.kind === 'running') return { kind: 'whole', answer: state.answer, wish: upload.wish };
    const { retryAt } = state.answer;
    const answer =
      retryAt !== undefined && clock.now().getTime() >= retryAt
        ? run(upload, fields, state.last)
        : Promise.resolve(state.answer);
    return { kind: 'whole', answer, wish: upload.wish };
  };

  const receive = (upload: Upload, fields: RequestFields, block: Block): UploadStep => {
    const { payload } = fields;
    const offset = offsetOfBlock(block);
    upload.wish = fields.block2 ?? upload.wish;
    if (offset < upload.length) {
      // A repetition that overtook or outlived its Message ID: it says nothing new, or it contradicts.
      const isRepeated =
        block.isMore && upload.body.subarray(offset, Math.min(offset + payload.length, upload.length)).equals(payload);
      if (isRepeated) return { kind: 'continue' };
      forget('broken');
      return { kind: 'incomplete', defect: 'blocks contradict each other' };
    }
    if (offset > upload.length) {
      forget('broken');
      return { kind: 'incomplete', defect: 'a block is missing' };
    }
    if (!append(upload, payload)) {
      forget('refused');
      return { kind: 'no-room' };
    }
    if (block.isMore) return { kind: 'continue' };
    metrics.ended('upload', 'complete');
    return {
      kind: 'whole',
      answer: run(upload, fields, { offset, payload: new Uint8Array(payload) }),
      wish: upload.wish,
    };
  };

  const forgetGone = (): void => {
    if (current?.state.kind === 'answered' && current.state.answer.isGone()) forget('replaced');
  };

  return {
    forgetGone,
    take: (fields, block) => {
      const { payload } = fields;
      const defect = defectOf(block, payload);
      if (defect !== undefined) return { kind: 'bad-block', defect };
      forgetGone();
      const existing = current?.key === fields.transferKey ? current : undefined;
      if (offsetOfBlock(block) + payload.length > maximumBodyOctets || (fields.size1 ?? 0) > maximumBodyOctets) {
        if (existing !== undefined) forget('too-large');
        return { kind: 'too-large' };
      }
      const isSameFormat = existing !== undefined && existing.contentFormat === fields.contentFormat;
      if (block.number === 0) {
        // Block 0 begins afresh, unless it is the whole body that was answered a moment ago.
        if (isSameFormat && isRepetition(existing.state, fields, block)) return repeat(existing, fields, block);
        const upload = begin(fields, block);
        return upload === undefined ? { kind: 'no-room' } : receive(upload, fields, block);
      }
      if (existing === undefined) return { kind: 'incomplete', defect: 'no such transfer' };
      if (existing.state.kind !== 'receiving') return repeat(existing, fields, block);
      if (!isSameFormat) {
        forget('broken');
        return { kind: 'incomplete', defect: 'Content-Format has changed' };
      }
      return receive(existing, fields, block);
    },
    close: () => forget('closed'),
  };
}

/** RFC 7959 §2.2: a block that others follow is full, and none is more than full. */
function defectOf(block: Block, payload: Uint8Array): string | undefined {
  const octets = octetsOfBlock(block.sizeExponent);
  if (block.isMore && payload.length !== octets) return 'block is not as long as its SZX says';
  return payload.length > octets ? 'block is longer than its SZX says' : undefined;
}

function isRepetition(state: UploadState, fields: RequestFields, block: Block): boolean {
  if (state.kind === 'receiving' || !isLast(state.last, fields, block)) return false;
  return state.kind === 'running' || !state.answer.isRefusal;
}

function isLast(last: LastBlock, { payload }: RequestFields, block: Block): boolean {
  return !block.isMore && offsetOfBlock(block) === last.offset && Buffer.from(last.payload).equals(payload);
}
