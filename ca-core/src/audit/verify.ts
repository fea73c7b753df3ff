// Verifies the audit log and names the first record that does not hold: edited, deleted, moved, cut off, or not what
// was sealed.
// It changes nothing, and needs the audit key: without it nobody can tell a forged record from a true one.

import type { KeyObject } from 'node:crypto';
import { lastAuditSequence, listAuditHeads, listAuditInstances, type StoredHead } from '../store/audit-events.ts';
import type { StoreReader } from '../store/statements.ts';
import type { AuditBreak } from './break.ts';
import { type AuditChain, type AuditHead, createAuditChain } from './chain.ts';
import { readSealedHeads, type SealSummary, verifySeals } from './verify-seals.ts';
import { walkChain } from './walk-chain.ts';

/** What was found. */
export type AuditVerification = {
  /** Records that hold, in all chains. */
  readonly records: number;
  /** Seals that hold. */
  readonly seals: number;
  /** Nothing: everything holds. */
  readonly firstBreak: AuditBreak | undefined;
};

/** Where a chain stood when the verification began: what is appended later is for the next one. */
type ChainSnapshot = { readonly instance: string; readonly head: StoredHead | undefined; readonly last: number };

const maximumInstances = 10_000;

/**
 * Verifies all chains against the audit key and the seals.
 *
 * @param key the audit key, private Ed25519
 * @param sealsFile audit/seals.jsonl
 * @throws {CoreError} `unavailable` when the store cannot be read; what node:fs throws when the seals cannot
 */
export async function verifyAudit(store: StoreReader, key: KeyObject, sealsFile: string): Promise<AuditVerification> {
  const chain = createAuditChain({ key });
  // The seals first: what they cover was in the database before they were written.
  const seals = await verifySeals(sealsFile, key);
  const snapshots = takeSnapshots(store, seals);
  let records = 0;
  for (const snapshot of snapshots) {
    const { instance, last } = snapshot;
    const sealedHeads = readSealedHeads(sealsFile, key, seals, instance);
    try {
      const { end, found } = await walkChain({ store, chain, instance, last, sealedHeads });
      records += end.sequence;
      const firstBreak = found ?? checkEnd(chain, snapshot, end, seals.lastHeads.get(instance));
      if (firstBreak !== undefined) return { records, seals: seals.count, firstBreak };
    } finally {
      await sealedHeads.return(undefined);
    }
  }
  return { records, seals: seals.count, firstBreak: sealBreak(snapshots, seals) };
}

/** All in one turn of the event loop, so that no commit comes between. */
function takeSnapshots(store: StoreReader, seals: SealSummary): readonly ChainSnapshot[] {
  const heads = new Map(listAuditHeads(store, maximumInstances).map((head) => [head.instance, head]));
  const instances = new Set([...listAuditInstances(store), ...heads.keys(), ...seals.lastHeads.keys()]);
  return [...instances]
    .sort()
    .map((instance) => ({ instance, head: heads.get(instance), last: lastAuditSequence(store, instance) }));
}

/** What a chain must end with: everything that was sealed, and the head that its last transaction wrote. */
function checkEnd(
  chain: AuditChain,
  { instance, head, last }: ChainSnapshot,
  end: AuditHead,
  sealed: AuditHead | undefined,
): AuditBreak | undefined {
  const promised = Math.max(sealed?.sequence ?? 0, head?.sequence ?? 0);
  if (promised > last) {
    const witness = promised === sealed?.sequence ? 'a seal' : 'the head of the chain';
    const detail = `${witness} covers ${promised} records, but there are ${last}`;
    return { instance, sequence: last + 1, kind: 'truncated', detail };
  }
  const wrongHead = findWrongHead(chain, head, end);
  return wrongHead === undefined ? undefined : { instance, sequence: last, kind: 'altered', detail: wrongHead };
}

function findWrongHead(chain: AuditChain, head: StoredHead | undefined, end: AuditHead): string | undefined {
  if (head === undefined) return end.sequence === 0 ? undefined : 'the head of the chain is missing';
  if (head.sequence !== end.sequence) return `the head of the chain stands at ${head.sequence}`;
  if (Buffer.compare(head.mac, end.mac) !== 0) return 'the head of the chain is of another record';
  return chain.headHolds(head, head.authenticator) ? undefined : 'the head of the chain was not written by the core';
}

/**
 * What is wrong with the seals themselves. A core seals before it takes its first call, so a log without seals has lost
 * them.
 */
function sealBreak(snapshots: readonly ChainSnapshot[], seals: SealSummary): AuditBreak | undefined {
  const chain = snapshots.find(({ last }) => last > 0);
  if (seals.firstBreak !== undefined) {
    // When not even the first can be read it names no chain.
    const instance = seals.firstBreak.instance === '' ? (chain?.instance ?? '') : seals.firstBreak.instance;
    return { ...seals.firstBreak, instance };
  }
  if (chain === undefined || seals.count > 0) return undefined;
  return { instance: chain.instance, sequence: chain.last, kind: 'seal', detail: 'there are no seals' };
}
