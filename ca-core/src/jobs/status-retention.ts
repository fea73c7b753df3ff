/**
 * Forgets what nobody needs any more: changes of status from before the oldest CRL that a delta may start from, and scopes
 * whose last certificate has ended. A little at a time, so that no commit waits for it.
 */
import { setImmediate } from 'node:timers/promises';
import { firstStatusPosition } from '../store/crl-entries.ts';
import { findNewestCrl, forgetCrls, oldestChangePosition } from '../store/crls.ts';
import type { Store } from '../store/open-store.ts';
import { pruneStatusChanges } from '../store/status-changes.ts';

/** So many positions are forgotten in one commit. */
const positionsAtOnce = 2_000;

/**
 * Forgets changes of status that are on every CRL and signed into every response. Throws CoreError `unavailable`.
 *
 * @param signedPosition up to which OCSP responses are signed
 * @param withoutDeltas a scope that has none
 */
export async function forgetStatusChanges(store: Store, signedPosition: number, withoutDeltas: string): Promise<void> {
  // The last one stays: it tells whether ocsp.db belongs to this database.
  const end = Math.min(signedPosition, oldestChangePosition(store, withoutDeltas) ?? 0);
  for (let first = firstStatusPosition(store); first !== undefined && first < end; first = firstStatusPosition(store)) {
    const before = Math.min(end, first + positionsAtOnce);
    await store.commit({ operations: [pruneStatusChanges(before)], events: [] });
    await setImmediate();
  }
}

/**
 * Scopes that are not configured any more, and whose last certificate had ended when their newest CRL was made. Throws
 * CoreError `unavailable`.
 *
 * @param scopes that are published
 * @param lastNotAfter when the last certificate of each scope ends, epoch milliseconds
 */
export function endedScopes(
  store: Store,
  scopes: Iterable<string>,
  configured: ReadonlySet<string>,
  lastNotAfter: ReadonlyMap<string, number>,
): readonly string[] {
  return [...scopes].filter((scope) => {
    if (configured.has(scope)) return false;
    const newest = findNewestCrl(store, scope, false);
    // RFC 5280 §3.3: an entry stands on one CRL that was made after its certificate had ended.
    return newest !== undefined && newest.thisUpdate > (lastNotAfter.get(scope) ?? 0);
  });
}

/** Forgets the CRLs of a scope. Its numbers stay taken. Throws CoreError `unavailable`. */
export async function forgetScope(store: Store, scope: string): Promise<void> {
  await store.commit({ operations: [forgetCrls(scope)], events: [] });
}
