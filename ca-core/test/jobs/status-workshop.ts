// A store with certificates whose status changes, without a core around it.
import { setImmediate } from 'node:timers/promises';
import type { Store } from '../../src/store/open-store.ts';
import { holdCertificate, releaseCertificate, revokeCertificate } from '../../src/store/revocations.ts';
import type { WriteOperation } from '../../src/store/write-set.ts';
import { certificate, event, issuance, openTestStore } from '../store/test-store.ts';

/** The time in tests of status, epoch milliseconds. */
export const now = Date.parse('2026-05-10T12:00:00Z');
export const day = 86_400_000;

/** A store in memory, and what changes it. */
export type StatusWorkshop = {
  readonly store: Store;
  issue(changes?: Parameters<typeof certificate>[0]): Promise<string>;
  revoke(serialNumber: string, reason?: number, at?: number): Promise<void>;
  hold(serialNumber: string): Promise<void>;
  release(serialNumber: string): Promise<void>;
  remove(): Promise<void>;
};

/** Opens one. */
export async function openStatusWorkshop(): Promise<StatusWorkshop> {
  const { store, remove } = await openTestStore('in memory');
  const change = (operations: readonly WriteOperation[]): Promise<void> =>
    store.commit({ operations, events: [event({ action: 'status-changed' })] });
  const revocation = (serialNumber: string, reason: number, at = now - 1000) => ({
    serialNumber,
    reason,
    revokedAt: new Date(at),
    actor: 'admin',
  });
  return {
    store,
    async issue(changes = {}) {
      const issued = certificate({ notAfter: new Date(now + 30 * day), crlScope: 'issuing-1', ...changes });
      await store.commit(issuance(issued));
      return issued.serialNumber;
    },
    revoke: (serialNumber, reason = 4, at) => change(revokeCertificate(revocation(serialNumber, reason, at))),
    hold: (serialNumber) => change(holdCertificate(revocation(serialNumber, 6))),
    release: (serialNumber) => change(releaseCertificate(serialNumber, new Date(now - 500))),
    remove,
  };
}

/** Everything that the pages bring; `between` runs after each page. */
export async function readPages<Entry>(
  pages: AsyncIterable<readonly Entry[]>,
  between: () => void | Promise<void> = () => undefined,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const page of pages) {
    entries.push(...page);
    await between();
    await setImmediate();
  }
  return entries;
}
