/**
 * What is known of a CRL when the core starts: what was recorded last, whether its file is that very one, and whether it
 * still shows everything. What is not so is made anew, under a higher number.
 */
import type { Logger } from '@gatehouse/runtime/log';
import { hasChanged } from '../store/crl-entries.ts';
import { findNewestCrl } from '../store/crls.ts';
import type { StoreReader } from '../store/statements.ts';
import { crlName, isCrlFileIntact, publishedCrlFile } from './crl-files.ts';
import type { CrlTarget } from './crl-target.ts';

/** What looking takes. */
export type CrlLoadingParts = {
  readonly store: StoreReader;
  /** Of published CRLs. */
  readonly folder: string;
  /** CRLs from before say something else of themselves. Epoch milliseconds. */
  readonly plansSince: number;
  readonly log: Logger;
};

/** Looks, and lets the target be made from now on. Never rejects: a CRL that cannot be looked at is made anew. */
export async function loadTarget(parts: CrlLoadingParts, target: CrlTarget): Promise<void> {
  try {
    await load(parts, target);
  } catch (error) {
    parts.log.error({ err: error, crl: nameOf(target) }, 'a CRL cannot be looked at; it is made anew');
  }
  target.state = 'idle';
}

async function load({ store, folder, plansSince, log }: CrlLoadingParts, target: CrlTarget): Promise<void> {
  const { scope, isDelta, coverage } = target.plan;
  const recorded = findNewestCrl(store, scope, isDelta);
  if (recorded === undefined) return;
  if (await isCrlFileIntact(publishedCrlFile(folder, scope, isDelta), recorded)) {
    target.crl = recorded;
    // Numbers are of the time, and finer than thisUpdate.
    target.isStale = recorded.number < plansSince || hasChanged(store, coverage, recorded.changePosition);
  } else {
    log.warn({ crl: nameOf(target), number: recorded.number }, 'a CRL is missing or damaged; it is made anew');
  }
}

function nameOf({ plan }: CrlTarget): string {
  return crlName(plan.scope, plan.isDelta);
}
