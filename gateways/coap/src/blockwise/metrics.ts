// What is measured about block-wise transfers, RFC 7959: how they end and what they hold.

import type { Metrics } from '@gatehouse/runtime/metrics';

/** Block1 carries uploads, Block2 downloads. */
export type TransferDirection = 'upload' | 'download';

/** How a transfer of more than one message ended. */
export type TransferOutcome =
  | 'complete'
  /** The last block went out and was not acknowledged. */
  | 'unconfirmed'
  /** The client began another one. */
  | 'replaced'
  | 'expired'
  | 'evicted'
  /** The session ended. */
  | 'closed'
  /** 4.13. */
  | 'too-large'
  /** 4.08 or 4.00: a gap, another format, a block of wrong length. */
  | 'broken'
  /** No memory was left: 5.03. */
  | 'refused';

/** Measures block-wise transfers. */
export type BlockMetrics = {
  ended(direction: TransferDirection, outcome: TransferOutcome): void;
  /** Of a secret it cannot be known whether it arrived. */
  unconfirmed(): void;
  /** @param octets held for all sessions now */
  stateOctets(octets: number): void;
};

/** Registers the metrics; once a process. */
export function createBlockMetrics(metrics: Metrics): BlockMetrics {
  const transfers = metrics.counter({
    name: 'coap_block_transfers_total',
    help: 'Block-wise transfers by direction and how they ended.',
    labels: ['direction', 'outcome'],
  });
  const unconfirmed = metrics.counter({
    name: 'coap_unconfirmed_deliveries_total',
    help: 'Generated keys of which it is not known whether they arrived; their certificates stand.',
  });
  const octets = metrics.gauge({
    name: 'coap_block_state_octets',
    help: 'Memory held for block-wise transfers of all sessions.',
  });
  return {
    ended: (direction, outcome) => transfers.labels(direction, outcome).inc(),
    unconfirmed: () => unconfirmed.inc(),
    stateOctets: (held) => octets.set(held),
  };
}
