/** What `gatehouse audit` does. The chain is walked by the core, which alone has its key. */
import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { AuditEvent, ListAuditEventsRequest } from '@gatehouse/ra-client/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { asOperator, type OperatorOptions } from './operator.ts';
import { formatTime, note, print, printJson, printTable } from './output.ts';
import { pastTime } from './times.ts';

/** Of `audit list`. */
export type AuditListOptions = OperatorOptions & {
  readonly action?: string | undefined;
  readonly serial?: string | undefined;
  readonly ra?: string | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
};

/** Of `audit export`. */
export type AuditExportOptions = OperatorOptions & { readonly file: string };

/** A chain of a large CA takes minutes. */
const longTimeoutMs = 30 * 60_000;

/** Lists events, newest first. */
export async function listAuditEvents(options: AuditListOptions): Promise<void> {
  const conditions: Partial<ListAuditEventsRequest> = {
    action: options.action ?? '',
    serialNumber: options.serial?.replaceAll(':', '').toLowerCase() ?? '',
    registrationAuthority: options.ra ?? '',
    after: options.after === undefined ? undefined : pastTime('--after', options.after),
    before: options.before === undefined ? undefined : pastTime('--before', options.before),
    limit: options.limit ?? 0,
  };
  const events = await asOperator(options, ({ administration }) =>
    Array.fromAsync(administration.listAuditEvents(conditions)),
  );
  if (options.json === true) {
    printJson(events.map(describe));
    return;
  }
  printTable(
    events,
    [
      ['time', ({ at }) => formatTime(at)],
      ['action', ({ action }) => action],
      ['outcome', ({ outcome }) => outcome],
      ['actor', ({ actor }) => actor.replace('spiffe://gatehouse.internal/', '')],
      ['requester', ({ requester }) => requester || '-'],
      ['profile', ({ profile }) => profile || '-'],
      ['serial number', ({ serialNumber }) => serialNumber || '-'],
    ],
    'no event fits',
  );
}

/** Walks the chain; sets exit status 1 when a record does not hold. */
export async function verifyAudit(options: OperatorOptions): Promise<void> {
  const result = await asOperator(options, ({ administration }) =>
    administration.verifyAudit({ timeoutMs: longTimeoutMs }),
  );
  const { records, firstBreak } = result;
  if (firstBreak !== undefined) process.exitCode = 1;
  if (options.json === true) {
    printJson({ isWhole: firstBreak === undefined, records, firstBreak });
  } else if (firstBreak === undefined) {
    print(`the audit log is whole: ${records} records`);
  } else {
    const { instance, sequence, kind, detail } = firstBreak;
    print(`the audit log is broken at record ${sequence} of instance ${instance} (${kind}): ${detail}`);
    note('  keep the database and audit/seals.jsonl as they are, and compare with an export or a backup');
  }
}

/** Writes all events, one JSON object a line. */
export async function exportAudit(options: AuditExportOptions): Promise<void> {
  const { file } = options;
  const count = await asOperator(options, async ({ administration }) => {
    const events = administration.listAuditEvents({ isEverything: true }, { timeoutMs: longTimeoutMs });
    return file === '-' ? await writeLines(events, process.stdout) : await writeFile(events, file);
  });
  if (file === '-') return;
  if (options.json === true) printJson({ file, records: count });
  else print(`${count} records in ${file}`);
}

/** The file gets its name when it is whole. */
async function writeFile(events: AsyncIterable<AuditEvent>, file: string): Promise<number> {
  const part = `${file}.part`;
  const stream = createWriteStream(part, { mode: 0o600 });
  try {
    await once(stream, 'open');
    const count = await writeLines(events, stream);
    stream.end();
    await finished(stream);
    renameSync(part, file);
    return count;
  } catch (cause) {
    rmSync(part, { force: true });
    if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) throw cause;
    throw new FatalError(`cannot write ${file}: ${cause.message}`, { cause });
  }
}

async function writeLines(events: AsyncIterable<AuditEvent>, stream: NodeJS.WritableStream): Promise<number> {
  let count = 0;
  for await (const event of events) {
    count++;
    if (!stream.write(`${JSON.stringify(describe(event))}\n`) && stream.writable) await once(stream, 'drain');
  }
  return count;
}

/** What is empty is left out; the body is JSON, and the MAC hexadecimal. */
function describe({ body, mac, ...event }: AuditEvent): unknown {
  const given = Object.entries(event).filter(([, value]) => value !== '');
  return {
    ...Object.fromEntries(given),
    ...(body === '' ? {} : { body: JSON.parse(body) }),
    mac: mac.toString('hex'),
  };
}
