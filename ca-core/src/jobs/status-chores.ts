/**
 * What the publication of status does every minute: takes in CRLs that certificates turn out to name, leaves out those that
 * none names any more, and forgets changes that nobody needs. Only when every certificate has been seen.
 */
import { rmSync } from 'node:fs';
import type { Keep } from '../keep.ts';
import { publishedCrlFile } from './crl-files.ts';
import type { CrlPlan } from './crl-plan.ts';
import type { CrlPublisher } from './crl-publisher.ts';
import { rootScope } from './root-crl-import.ts';
import { endedScopes, forgetScope, forgetStatusChanges } from './status-retention.ts';

/** What the chores are about. */
export type StatusChoreParts = Pick<Keep, 'store' | 'clock' | 'log'> & {
  /** Of published CRLs. */
  readonly folder: string;
  readonly publisher: Pick<CrlPublisher, 'scopes' | 'remove' | 'add'>;
  /** Scopes that new certificates may name. */
  readonly configured: ReadonlySet<string>;
  plansOf(scopes: Iterable<string>): readonly CrlPlan[];
};

/**
 * Does them. Never rejects: what fails is logged, and tried again the next time.
 *
 * @param readLastNotAfter answers scopes that certificates name, and when the last such certificate ends, epoch
 *   milliseconds
 * @param signedPosition up to which changes of status are signed into OCSP responses
 */
export async function doStatusChores(
  parts: StatusChoreParts,
  readLastNotAfter: () => ReadonlyMap<string, number>,
  signedPosition: number,
): Promise<void> {
  const { store, publisher, configured, log } = parts;
  try {
    const lastNotAfter = readLastNotAfter();
    for (const scope of endedScopes(store, publisher.scopes(), configured, lastNotAfter)) {
      publisher.remove(scope);
      await forgetScope(store, scope);
      for (const isDelta of [false, true]) rmSync(publishedCrlFile(parts.folder, scope, isDelta), { force: true });
      log.info({ scope }, 'a CRL that no certificate names any more is left out');
    }
    const now = parts.clock.now().getTime();
    const named = [...lastNotAfter].filter(([, end]) => end >= now).map(([scope]) => scope);
    await publisher.add(parts.plansOf(named));
    await forgetStatusChanges(store, signedPosition, rootScope);
  } catch (error) {
    log.error({ err: error }, 'a chore of published status failed');
  }
}
