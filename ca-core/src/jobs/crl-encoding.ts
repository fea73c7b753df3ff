/** The status thread's part in making a CRL: from a task to a TBSCertList in a file. */

import type { StoreReader } from '../store/statements.ts';
import { lastStatusPosition } from '../store/status-changes.ts';
import type { TemplateIssuer } from '../x509/key-identifier.ts';
import { writeTbsCertList } from '../x509/tbs-cert-list.ts';
import { deltaCrlPages, fullCrlPages } from './crl-pages.ts';
import type { CrlJob, EncodedCrl } from './status-thread-messages.ts';

/** In whose name. */
export type CrlIssuer = { readonly issuer: TemplateIssuer; readonly signatureAlgorithm: Uint8Array };

/** Encodes. Throws CoreError `unavailable`, and what the disk throws. */
export async function encodeCrl(store: StoreReader, issuer: CrlIssuer, job: CrlJob): Promise<EncodedCrl> {
  const { contents, coverage } = job;
  // Before anything is read: what changes from now on belongs to the next CRL, whether this one has it or not.
  const changePosition = lastStatusPosition(store);
  const pages =
    contents.kind === 'full'
      ? fullCrlPages(store, coverage, contents.listedSince)
      : deltaCrlPages(store, coverage, contents.afterPosition);
  const facts = {
    ...issuer,
    thisUpdate: new Date(job.thisUpdate),
    nextUpdate: new Date(job.nextUpdate),
    crlNumber: job.number,
    baseCrlNumber: contents.kind === 'delta' ? contents.baseNumber : undefined,
    issuingDistributionPoint: job.issuingDistributionPoint,
    freshestCrl: job.freshestCrl,
  };
  const { entries } = await writeTbsCertList(job.file, facts, pages);
  return { entries, changePosition };
}
