/** How many certificates a bulk revocation means, and some of them: what a person sees before saying yes. */
import type { RevocationReason } from '@gatehouse/proto/types';
import { readSlice, type Walk } from '../store/bulk-candidates.ts';
import type { Store } from '../store/open-store.ts';
import { isToChange } from './bulk-page.ts';

/** What is meant. */
export type BulkCount = {
  readonly matching: number;
  /** Of those: stand as wanted already, or for good. */
  readonly passedOver: number;
  /** Serial numbers of some that would be changed. */
  readonly examples: readonly string[];
};

const sliceSize = 1000;
const mostExamples = 10;

/** Counts. Throws CoreError `unavailable`. */
export async function countCertificates(store: Store, walk: Walk, reason: RevocationReason): Promise<BulkCount> {
  let matching = 0;
  let passedOver = 0;
  const examples: string[] = [];
  let lastPosition = 0;
  for (;;) {
    const slice = await readSlice(store, walk, lastPosition, sliceSize);
    matching += slice.candidates.length;
    for (const { serialNumber, standing } of slice.candidates) {
      if (!isToChange(reason, standing)) passedOver += 1;
      else if (examples.length < mostExamples) examples.push(serialNumber);
    }
    if (slice.isLast) return { matching, passedOver, examples };
    ({ lastPosition } = slice);
    // node:sqlite answers synchronously: an enrollment gets its turn between two slices.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
