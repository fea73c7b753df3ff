// Walks one chain from its first record to a given last one and stops at the first that does not hold.
// It reads page by page and lets the core work in between.

import type { StoreReader } from '../store/statements.ts';
import type { AuditBreak, AuditBreakKind } from './break.ts';
import { type AuditChain, type AuditHead, emptyHead } from './chain.ts';
import { readRecordPage } from './record-page.ts';

/** What a walk is about. */
export type ChainWalk = {
  readonly store: StoreReader;
  readonly chain: AuditChain;
  readonly instance: string;
  /** Sequence number of the last record to look at. */
  readonly last: number;
  /** What seals say about this chain, in their order. */
  readonly sealedHeads: AsyncGenerator<AuditHead, undefined, void>;
};

/** Where the walk ended: at the last record, or before the one that is named. */
export type WalkResult = { readonly end: AuditHead; readonly found: AuditBreak | undefined };

/** Walks. Throws CoreError `unavailable`, and what node:fs throws when the seals cannot be read. */
export async function walkChain(walk: ChainWalk): Promise<WalkResult> {
  const { store, chain, last, sealedHeads } = walk;
  let sealed = (await sealedHeads.next()).value;
  let end = emptyHead(walk.instance);
  while (end.sequence < last) {
    for (const record of readRecordPage(store, end, last)) {
      const sequence = end.sequence + 1;
      if (record === undefined) return stop(end, 'altered', 'the record cannot be read');
      if (record.sequence !== sequence) return stop(end, 'missing', `the next record is ${record.sequence}`);
      if (!chain.holds(end.mac, record)) return misfit(walk, end);
      while (sealed !== undefined && sealed.sequence <= sequence) {
        if (sealed.sequence === sequence && Buffer.compare(sealed.mac, record.mac) !== 0) {
          return stop(end, 'seal', 'a seal covers another record in this place');
        }
        sealed = (await sealedHeads.next()).value;
      }
      end = record;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { end, found: undefined };
}

/** The record after `end` does not fit: if one of the next fits in its place, they were moved. */
function misfit({ store, chain, last }: ChainWalk, end: AuditHead): WalkResult {
  const sequence = end.sequence + 1;
  const isElsewhere = readRecordPage(store, end, last).some(
    (other) => other !== undefined && chain.holds(end.mac, { ...other, sequence }),
  );
  if (isElsewhere) return stop(end, 'reordered', 'what was recorded here stands at another place');
  return stop(end, 'altered', 'its MAC fits neither its fields nor the record before');
}

function stop(end: AuditHead, kind: AuditBreakKind, detail: string): WalkResult {
  return { end, found: { instance: end.instance, sequence: end.sequence + 1, kind, detail } };
}
