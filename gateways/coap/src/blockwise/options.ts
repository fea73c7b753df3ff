// What the block-wise layer of one session is made with and what it is: `createBlockwise(options: BlockwiseOptions): Blockwise`.

import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { RequestHandler } from '../message/message.ts';
import type { ResourceHandler } from '../request.ts';
import type { BlockBudget } from './budget.ts';
import type { BlockMetrics } from './metrics.ts';

/** Limits of one session's transfers. */
export type BlockLimits = {
  /** Size of a request's body; above it 4.13. 16384 unless set. */
  readonly maximumBodyOctets: number;
  /** Size of a response's blocks where the client does not say: a power of two from 16 to 1024; 512 unless set. */
  readonly preferredBlock: number;
};

/** The options of `createBlockwise`. */
export type BlockwiseOptions = {
  readonly handle: ResourceHandler;
  readonly limits: BlockLimits;
  /** Shared by all sessions: `createBlockBudget`, once a process. */
  readonly budget: BlockBudget;
  /** What fits into one datagram of this session. */
  readonly maximumMessageOctets: number;
  readonly clock: Clock;
  /** Shared by all sessions: `createBlockMetrics`, once a process. */
  readonly metrics: BlockMetrics;
  readonly log: Logger;
};

/** The block-wise layer of one session. */
export type Blockwise = {
  /** For the message layer. */
  readonly handle: RequestHandler;
  /** The session has ended: everything is forgotten, and whoever waits for a delivery hears of it. */
  close(): void;
};
