// Walks the file of seals: each must be signed by the audit key, cover the one before it, and never go back.
// What it promises about the chains is compared with the records elsewhere.

import type { KeyObject } from 'node:crypto';
import type { AuditBreak } from './break.ts';
import type { AuditHead } from './chain.ts';
import { readSealLines, sealFileLength } from './seal-file.ts';
import { noPreviousSeal, readSealLine, sealLineHash } from './seal-line.ts';

/** What the seals say. */
export type SealSummary = {
  /** Seals that hold, from the first. */
  readonly count: number;
  /** Octets of the file that were looked at; what is appended later is not. */
  readonly length: number;
  /** The last head of each chain, of the seals that hold. */
  readonly lastHeads: ReadonlyMap<string, AuditHead>;
  /** The first seal that does not hold. */
  readonly firstBreak: AuditBreak | undefined;
};

/** Verifies the seals in their order, up to the first that does not hold. Throws what node:fs throws. */
export async function verifySeals(file: string, key: KeyObject): Promise<SealSummary> {
  const length = await sealFileLength(file);
  const lastHeads = new Map<string, AuditHead>();
  let previous = noPreviousSeal;
  let latest: AuditHead = { instance: '', sequence: 0, mac: new Uint8Array(32) };
  let count = 0;
  for await (const line of readSealLines(file, length)) {
    const seal = readSealLine(line, key);
    const stop = (detail: string): SealSummary => {
      const { instance, sequence } = seal?.heads[0] ?? latest;
      return { count, length, lastHeads, firstBreak: { instance, sequence, kind: 'seal', detail } };
    };
    if (seal === undefined) return stop(`seal ${count + 1} cannot be read or was not signed by the audit key`);
    if (seal.previous !== previous) return stop(`seal ${count + 1} does not follow the one before it`);
    for (const head of seal.heads) {
      if (head.sequence < (lastHeads.get(head.instance)?.sequence ?? 0)) {
        return stop(`seal ${count + 1} covers fewer records than the one before it: an older database took over`);
      }
      lastHeads.set(head.instance, head);
      latest = head;
    }
    previous = sealLineHash(line);
    count += 1;
  }
  return { count, length, lastHeads, firstBreak: undefined };
}

/** What the seals that hold say about one chain, in their order, as it is asked for. */
export async function* readSealedHeads(
  file: string,
  key: KeyObject,
  summary: SealSummary,
  instance: string,
): AsyncGenerator<AuditHead, undefined, void> {
  let count = 0;
  for await (const line of readSealLines(file, summary.length)) {
    if (count === summary.count) return undefined;
    count += 1;
    for (const head of readSealLine(line, key)?.heads ?? []) if (head.instance === instance) yield head;
  }
  return undefined;
}
