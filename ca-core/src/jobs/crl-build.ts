/**
 * Makes one CRL: takes a number, has it encoded, signs it, records it, publishes it, in this order. A crash leaves the
 * former CRL in its place or the new one, and a number that was taken is never taken again (RFC 5280 §5.2.3).
 */
import { renameSync, rmSync } from 'node:fs';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Signer } from '../keys/signer.ts';
import { SignerError } from '../keys/signer.ts';
import { findDeltaBase, forgetCrowdedCrl, recordCrl, type StoredCrl, takeCrlNumber } from '../store/crls.ts';
import type { Store } from '../store/open-store.ts';
import { readChunks } from '../x509/octet-file.ts';
import { type CrlFiles, crlFiles, crlName } from './crl-files.ts';
import type { CrlPlan } from './crl-plan.ts';
import { crlValidity } from './crl-schedule.ts';
import type { CrlJob } from './status-thread-messages.ts';
import type { StatusWorker } from './status-worker.ts';

/** What making a CRL takes. */
export type CrlBuildParts = {
  readonly store: Store;
  readonly worker: Pick<StatusWorker, 'run'>;
  /** Of the authority. */
  readonly signer: Signer;
  readonly folder: string;
  readonly clock: Clock;
  /** CRLs from before say something else of themselves, and are no base of a delta. Epoch milliseconds. */
  readonly plansSince: number;
  /** The next number of a scope, which nobody else gets. */
  nextNumber(scope: string): number;
};

/** One CRL to be made. */
export type CrlBuild = {
  readonly plan: CrlPlan;
  /** The CRL that it takes the place of. */
  readonly previous: StoredCrl | undefined;
  /** URI of whoever wants it. */
  readonly actor: string;
  /** Called in the moment in which the file has its name. */
  onPublished(crl: StoredCrl): void;
};

/** Makes it. Throws CoreError `unavailable`; then the former one is still in its place. */
export async function buildCrl(parts: CrlBuildParts, build: CrlBuild): Promise<void> {
  const { store, folder } = parts;
  const { scope, isDelta } = build.plan;
  const number = parts.nextNumber(scope);
  await store.commit({ operations: [takeCrlNumber(scope, number)], events: [] });
  const files = crlFiles(folder, scope, isDelta, number);
  try {
    await make(parts, build, number, files);
  } finally {
    rmSync(files.tbs, { force: true });
    rmSync(files.signed, { force: true });
  }
}

async function make(parts: CrlBuildParts, build: CrlBuild, number: number, files: CrlFiles): Promise<void> {
  const { store, worker, signer, clock } = parts;
  const { plan, actor } = build;
  const job = describe(parts, build, number, files);
  const { entries, changePosition } = await worker.run('encode', job);
  const signature = await signFile(signer, files.tbs);
  const { signatureAlgorithm } = signer;
  const assembled = await worker.run('assemble', {
    tbsFile: files.tbs,
    signatureAlgorithm,
    signature,
    file: files.signed,
  });
  const { scope } = plan;
  const { thisUpdate, nextUpdate, contents } = job;
  const baseNumber = contents.kind === 'delta' ? contents.baseNumber : undefined;
  const crl: StoredCrl = { scope, number, baseNumber, thisUpdate, nextUpdate, changePosition, entries, ...assembled };
  // ARCHITECTURE §1.3: durable before anybody sees it.
  await store.commit({
    operations: [
      ...recordCrl(crl, clock.now().getTime()),
      ...(plan.isDelta ? [] : [forgetCrowdedCrl(crl, parts.plansSince)]),
    ],
    events: [
      {
        action: 'crl-generated',
        actor,
        outcome: 'success',
        body: {
          crl: crlName(scope, plan.isDelta),
          number,
          baseNumber,
          entries,
          thisUpdate: new Date(thisUpdate).toISOString(),
          nextUpdate: new Date(nextUpdate).toISOString(),
          sha256: Buffer.from(assembled.sha256).toString('hex'),
        },
      },
    ],
  });
  // Without a wait for the disk: should the name be lost with the power, the next start makes another CRL.
  renameSync(files.signed, files.published);
  build.onPublished(crl);
}

function describe(
  { store, clock, plansSince }: CrlBuildParts,
  { plan, previous }: CrlBuild,
  number: number,
  files: CrlFiles,
): CrlJob {
  const now = clock.now().getTime();
  const times = crlValidity(now, plan.rhythm, previous?.thisUpdate);
  return {
    file: files.tbs,
    coverage: plan.coverage,
    contents: plan.isDelta
      ? deltaContents(store, plan.scope, now, plansSince)
      : fullContents(previous, times.thisUpdate),
    number,
    ...times,
    issuingDistributionPoint: plan.issuingDistributionPoint,
    freshestCrl: plan.freshestCrl,
  };
}

/** RFC 5280 §3.3: an entry stays until it has stood on one CRL that was made after the end of its certificate. */
function fullContents(previous: StoredCrl | undefined, thisUpdate: number): CrlJob['contents'] {
  // A former CRL from a time that has not come would drop what is valid now.
  return { kind: 'full', listedSince: Math.min(previous?.thisUpdate ?? 0, thisUpdate) };
}

/** RFC 5280 §5.2.4: base and delta have the same issuingDistributionPoint. Numbers are of the time. */
function deltaContents(store: Store, scope: string, now: number, plansSince: number): CrlJob['contents'] {
  const base = findDeltaBase(store, scope, now, plansSince);
  if (base === undefined)
    throw new CoreError('unavailable', `there is no CRL '${scope}' yet that a delta could start from`);
  return { kind: 'delta', baseNumber: base.number, afterPosition: base.changePosition };
}

async function signFile(signer: Signer, file: string): Promise<Uint8Array> {
  try {
    const signature = signer.openSignature();
    for await (const chunk of readChunks(file)) signature.update(chunk);
    return await signature.finish();
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new CoreError('unavailable', 'the CA cannot sign at the moment', { retryAfterSeconds: 5, cause });
  }
}
