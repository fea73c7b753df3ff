// A store full of certificates that nobody signed, and bulk revocations at work on it.
import assert from 'node:assert/strict';
import type { BulkRevocation, StartBulkRevocationRequest } from '@gatehouse/proto/administration';
import { RevocationReason } from '@gatehouse/proto/types';
import { startBulkRevocation } from '../../src/administration/bulk-revocations.ts';
import { readAllAuditRecords } from '../../src/audit/export.ts';
import { bulkQueryMessage } from '../../src/revocation/bulk-query.ts';
import { type BulkRevocations, createBulkRevocations } from '../../src/revocation/bulk-revocation.ts';
import type { CertificateSelection } from '../../src/store/bulk-candidates.ts';
import { insertCertificate, type NewCertificate } from '../../src/store/certificates.ts';
import type { Store } from '../../src/store/open-store.ts';
import { listStatusChanges } from '../../src/store/status-changes.ts';
import { certificate, event, openTestStore, type TestStore } from '../store/test-store.ts';

/** URI of the operator that starts the jobs. */
export const operator = 'spiffe://gatehouse.internal/operator/admin';

/** What tests work with. */
export type Workshop = {
  readonly test: TestStore;
  readonly jobs: BulkRevocations;
  /** How often those that publish status were told of changes. */
  told(): number;
  /** Records certificates. */
  record(count: number, changes?: Partial<NewCertificate>): Promise<readonly NewCertificate[]>;
  /** Starts a job, or counts. */
  start(
    selection: CertificateSelection,
    reason?: RevocationReason,
    changes?: Partial<StartBulkRevocationRequest>,
  ): Promise<BulkRevocation>;
  /** Leaves the jobs and opens the store again, as a restart does; nothing runs until `jobs.resume()`. */
  restart(): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
};

let keys = 0;

/** Opens a store and the workshop on it. @param wrap replaces the store that the jobs see */
export async function openWorkshop(wrap: (store: Store) => Store = (store) => store): Promise<Workshop> {
  const test = await openTestStore();
  let told = 0;
  const open = () => {
    const store = wrap(test.store);
    const parts = {
      store,
      clock: test.clock,
      instance: { id: 'test', uri: 'spiffe://gatehouse.internal/core/test', serialNumberPrefix: new Uint8Array(2) },
      statusFeed: {
        wake: () => {
          told += 1;
        },
      },
      log: test.log,
    };
    return { parts, jobs: createBulkRevocations(parts) };
  };
  let { parts, jobs } = open();
  return {
    test,
    get jobs() {
      return jobs;
    },
    told: () => told,
    record: async (count, changes) => {
      const now = test.clock.now();
      const notAfter = new Date(now.getTime() + 90 * 86_400_000);
      const recorded = Array.from({ length: count }, () => certificate({ issuedAt: now, notAfter, ...changes }));
      await test.store.commit({ operations: recorded.flatMap(insertCertificate), events: [event()] });
      return recorded;
    },
    start: (selection, reason = RevocationReason.REVOCATION_REASON_SUPERSEDED, changes = {}) => {
      keys += 1;
      const query = bulkQueryMessage(selection);
      const request = { query, reason, invalidityDate: undefined, isDryRun: false, idempotencyKey: `key-${keys}` };
      return startBulkRevocation(parts, jobs, operator, { ...request, ...changes });
    },
    restart: async () => {
      await jobs.close();
      await test.reopen();
      ({ parts, jobs } = open());
    },
    close: async () => {
      await jobs.close();
      await test.remove();
    },
  };
}

/** Waits until a job is over, and answers how it ended. */
export async function ended(jobs: BulkRevocations, id: string) {
  const steps = await Array.fromAsync(jobs.watch(id));
  return steps.at(-1) ?? assert.fail('the job was never seen');
}

/** Each of these was changed once, and has one event; nothing else was. */
export async function assertChangedOnce(
  store: Store,
  job: string,
  expected: readonly { readonly serialNumber: string }[],
): Promise<void> {
  const serialNumbers = expected.map(({ serialNumber }) => serialNumber).sort();
  const told: string[] = [];
  for await (const { action, serialNumber, body } of readAllAuditRecords(store)) {
    if (action === 'status-changed' && JSON.parse(body ?? '{}').bulkRevocation === job) told.push(serialNumber ?? '');
  }
  assert.deepEqual(told.sort(), serialNumbers);
  const meant = new Set(serialNumbers);
  const changes = listStatusChanges(store, 0, 100_000).filter(({ serialNumber }) => meant.has(serialNumber));
  assert.deepEqual(changes.map(({ serialNumber }) => serialNumber).sort(), serialNumbers);
}
