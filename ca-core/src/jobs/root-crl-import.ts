/**
 * Publishes the root's own CRL, which is made where the root's key is: takes it in when the file of the hierarchy is a newer
 * one, and never goes back to an older one. What is not the root's is refused with a word in the log.
 */
import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Certificate } from '@gatehouse/pkix/certificate';
import type { CertificateList } from '@gatehouse/pkix/crl/certificate-list';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { hierarchyFolder, rootCrlFile } from '../authorities/files.ts';
import { loadRootCrl } from '../authorities/root-crl.ts';
import { findNewestCrl, recordCrl, type StoredCrl } from '../store/crls.ts';
import type { Store } from '../store/open-store.ts';
import { isCrlFileIntact, publishedCrlFile } from './crl-files.ts';
import type { PublishedCrl } from './crl-publisher.ts';
import { retryDelayMs } from './crl-schedule.ts';

/** Scope and authority of the root's CRL. */
export const rootScope = 'root';

/** What is needed to publish it. */
export type RootCrlParts = {
  /** The data directory. */
  readonly directory: string;
  readonly root: Certificate;
  readonly store: Store;
  /** Of published CRLs. */
  readonly folder: string;
  readonly actor: string;
  readonly clock: Clock;
  readonly log: Logger;
  onPublished(): void;
};

/** The root's CRL. */
export type RootCrlImport = {
  published(): PublishedCrl | undefined;
  /** Looks at the file; resolves when a newer one is published. Never rejects. */
  look(): Promise<void>;
  /** The file that is served is not there: it is taken in again. */
  noteLost(): void;
  /** Whether its time is over. */
  isOver(): boolean;
};

/** Starts with nothing published; {@link RootCrlImport.look} takes in what is there. */
export function createRootCrlImport(parts: RootCrlParts): RootCrlImport {
  const { directory, root, store, folder, log } = parts;
  const source = rootCrlFile(hierarchyFolder(directory));
  const target = publishedCrlFile(folder, rootScope, false);
  let published: PublishedCrl | undefined;
  let seen = '';
  let failures = 0;
  /** By the clock that never jumps. */
  let nextTryMono = 0;
  let underWay: Promise<void> | undefined;

  /** Changes whenever the file is another one. */
  function fingerprint(): string {
    const status = statSync(source, { throwIfNoEntry: false });
    return status === undefined ? '' : `${status.ino} ${status.size} ${status.mtimeMs} ${status.ctimeMs}`;
  }

  async function takeIn(): Promise<void> {
    if (performance.now() < nextTryMono) return;
    try {
      const found = fingerprint();
      if (found === seen) return;
      seen = found;
      const crl = loadRootCrl(directory, root);
      if (crl !== undefined) await publish(toStored(crl), crl.der);
      failures = 0;
    } catch (error) {
      log.error({ err: error }, 'the CRL of the root cannot be published');
      // What is wrong with the file stays wrong until the file is another one; the disk and the database may come back.
      if (error instanceof FatalError) return;
      seen = '';
      failures += 1;
      nextTryMono = performance.now() + retryDelayMs(failures);
    }
  }

  async function publish(crl: StoredCrl, der: Uint8Array): Promise<void> {
    const recorded = findNewestCrl(store, rootScope, false);
    if (recorded !== undefined && recorded.number > crl.number) {
      log.error({ found: crl.number, known: recorded.number }, 'the CRL of the root is older than the one before');
      // What was published goes on, if it is there.
      if (published === undefined && (await isCrlFileIntact(target, recorded))) show(recorded);
      return;
    }
    if (recorded === undefined || recorded.number < crl.number) await record(crl);
    if (!(await isCrlFileIntact(target, crl))) writeFileAtomic(target, der);
    show(crl);
  }

  async function record(crl: StoredCrl): Promise<void> {
    const { number, entries } = crl;
    await store.commit({
      operations: recordCrl(crl, parts.clock.now().getTime()),
      events: [
        {
          action: 'crl-generated',
          actor: parts.actor,
          outcome: 'success',
          body: { crl: rootScope, number, entries, sha256: Buffer.from(crl.sha256).toString('hex') },
        },
      ],
    });
  }

  function show(crl: StoredCrl): void {
    published = { plan: { scope: rootScope, isDelta: false, authority: rootScope }, crl };
    parts.onPublished();
  }

  function look(): Promise<void> {
    underWay ??= takeIn().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  return {
    published: () => published,
    look,
    noteLost() {
      log.error('the file of the CRL of the root is gone; it is taken in again');
      seen = '';
      void look();
    },
    isOver: () => published !== undefined && published.crl.nextUpdate <= parts.clock.now().getTime(),
  };
}

function toStored(crl: CertificateList): StoredCrl {
  let entries = 0;
  for (const _ of crl.entries()) entries += 1;
  return {
    scope: rootScope,
    number: Number(crl.crlNumber ?? 0n),
    baseNumber: undefined,
    thisUpdate: crl.thisUpdate.getTime(),
    nextUpdate: crl.nextUpdate?.getTime() ?? crl.thisUpdate.getTime(),
    changePosition: 0,
    entries,
    size: crl.der.length,
    sha256: hash('sha256', crl.der, 'buffer'),
  };
}
