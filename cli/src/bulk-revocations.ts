/** What `gatehouse revoke` does: many certificates at once, counted first, as a job of the core that goes on by itself. */
import { BulkRevocationState } from '@gatehouse/proto/administration';
import { RevocationReason } from '@gatehouse/proto/types';
import type { Administration, BulkRevocation } from '@gatehouse/ra-client/administration';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { FatalError } from '@gatehouse/runtime/fatal';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { invalidityDateOf, reasonOf } from './certificate-status.ts';
import { contractWord, reasonName } from './certificate-view.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { formatFields, formatTime, note, print, printJson, printTable, shorten } from './output.ts';
import { startProgress } from './progress.ts';
import { canAsk, confirm } from './prompt.ts';
import { formatWhere, parseWhere } from './where.ts';

/** Of `revoke`. */
export type BulkOptions = OperatorOptions & {
  readonly where: readonly string[];
  readonly reason: string;
  readonly invalidSince?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
};

/** Counting looks at every certificate. */
const countTimeoutMs = 10 * 60_000;
/** A million certificates take minutes. */
const jobTimeoutMs = 24 * 3_600_000;

/** Counts what is meant, asks, and revokes. */
export async function revokeMany(options: BulkOptions): Promise<void> {
  const query = parseWhere(options.where);
  const reason = reasonOf(options.reason);
  const wish = { query, reason, invalidityDate: invalidityDateOf(options) };
  if (options.dryRun !== true && options.yes !== true && !canAsk()) {
    throw new FatalError('this changes many certificates at once, and there is no terminal to ask on', {
      hint: 'look with --dry-run what is meant, then say --yes',
    });
  }
  await asOperator(options, async ({ administration }) => {
    const start = (isDryRun: boolean): Promise<BulkRevocation> => {
      const idempotencyKey = isDryRun ? '' : newRequestId();
      return administration.startBulkRevocation({ ...wish, isDryRun, idempotencyKey }, { timeoutMs: countTimeoutMs });
    };
    const counted = await start(true);
    if (options.dryRun === true || counted.matching === counted.passedOver) {
      printCount(counted, options);
      return;
    }
    if (options.yes !== true && !(await isConfirmed(counted))) {
      process.exitCode = 1;
      note('nothing was changed');
      return;
    }
    const { id } = await start(false);
    note(`job ${id}: it goes on by itself; 'gatehouse revoke stop ${id}' stops it`);
    await follow(administration, id, options);
  });
}

/** Lists the newest jobs. */
export async function listBulkRevocations(options: OperatorOptions): Promise<void> {
  const jobs = await asOperator(options, ({ administration }) => administration.listBulkRevocations());
  if (options.json === true) {
    printJson(jobs.map(describeJob));
    return;
  }
  printTable(
    jobs,
    [
      ['job', ({ id }) => id],
      ['state', ({ state }) => stateName(state)],
      ['started', ({ startedAt }) => formatTime(startedAt)],
      ['reason', ({ reason }) => reasonName(reason)],
      ['matching', ({ matching }) => String(matching)],
      ['changed', ({ changed }) => String(changed)],
      ['passed over', ({ passedOver }) => String(passedOver)],
      ['where', ({ query }) => shorten(formatWhere(query))],
    ],
    'there was no bulk revocation yet',
  );
}

/** Follows a job to its end. */
export async function watchBulkRevocation(id: string, options: OperatorOptions): Promise<void> {
  await asOperator(options, ({ administration }) => follow(administration, id, options));
}

/** Stops a job. */
export async function stopBulkRevocation(id: string, options: OperatorOptions): Promise<void> {
  printJob(await asOperator(options, ({ administration }) => administration.stopBulkRevocation(id)), options);
}

async function isConfirmed({ reason, matching, passedOver, examples, query }: BulkRevocation): Promise<boolean> {
  const count = matching - passedOver;
  note(
    `${count} of ${matching} certificates that fit ${formatWhere(query)}, among them ${examples.slice(0, 3).join(' ')}`,
  );
  return await confirm(`${verbOf(reason)} ${count} certificate${count === 1 ? '' : 's'}? [y/N] `);
}

function verbOf(reason: RevocationReason): string {
  switch (reason) {
    case RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD:
      return 'Put on hold';
    case RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL:
      return 'Release from hold';
    default:
      return `Revoke for good (${reasonName(reason)})`;
  }
}

async function follow(administration: Administration, id: string, options: OperatorOptions): Promise<void> {
  const progress = startProgress();
  let last: BulkRevocation | undefined;
  try {
    for await (const job of administration.watchBulkRevocation(id, { timeoutMs: jobTimeoutMs })) {
      last = job;
      progress.show(`${job.changed + job.passedOver} of ${job.matching} certificates`);
    }
  } catch (error) {
    if (!(error instanceof CoreError && error.code === 'unavailable')) throw error;
    throw new FatalError(`the core went away; the job ${id} goes on when it is back`, {
      hint: `'gatehouse revoke watch ${id}' follows it further`,
      cause: error,
    });
  } finally {
    progress.end();
  }
  if (last !== undefined) printJob(last, options);
}

function printCount(counted: BulkRevocation, options: OperatorOptions): void {
  const { matching, passedOver, examples, query, reason, invalidityDate } = counted;
  const toChange = matching - passedOver;
  if (options.json === true) {
    printJson({
      where: formatWhere(query),
      reason: reasonName(reason),
      invalidityDate,
      matching,
      passedOver,
      toChange,
      examples,
    });
    return;
  }
  print(
    formatFields([
      ['Matching', String(matching)],
      ['To change', String(toChange)],
      ['Passed over', passedOver === 0 ? undefined : `${passedOver} (they stand as wanted already, or for good)`],
      ['Examples', examples.join(' ')],
    ]),
  );
  note('nothing was changed');
}

function printJob(job: BulkRevocation, options: OperatorOptions): void {
  const { id, state, matching, changed, passedOver } = job;
  const isStopped = state === BulkRevocationState.BULK_REVOCATION_STATE_STOPPED;
  if (options.json === true) printJson(describeJob(job));
  else print(`job ${id} is ${stateName(state)}: ${changed} of ${matching} changed, ${passedOver} passed over`);
  if (isStopped) note('what was changed stays so');
}

function describeJob({ query, examples: _, ...job }: BulkRevocation): unknown {
  return { ...job, where: formatWhere(query), reason: reasonName(job.reason), state: stateName(job.state) };
}

function stateName(state: BulkRevocationState): string {
  return contractWord(BulkRevocationState, 'BULK_REVOCATION_STATE_', state);
}
