/** What `gatehouse acme incident` does: tells clients to renew certificates now (RFC 9773 §4.2). It revokes nothing. */
import { readFileSync } from 'node:fs';
import {
  endIncident,
  type Incident,
  type IncidentSelector,
  insertIncident,
  listIncidents,
} from '@gatehouse/gateway-acme/state/incidents';
import { FatalError } from '@gatehouse/runtime/fatal';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { type Column, formatTime, note, print, printJson, printTable, shorten } from '../output.ts';
import { parseSerialNumber } from '../serial-number.ts';
import { pastTime, timeToCome } from '../times.ts';
import { accountOf } from './accounts.ts';
import { type AcmeListOptions, type AcmeOptions, defaultLimit, withAcmeState } from './state.ts';

/** Of `acme incident add`. */
export type AddIncidentOptions = AcmeOptions & {
  readonly serial: readonly string[];
  readonly serialsFile?: string | undefined;
  readonly account: readonly string[];
  readonly issuedFrom?: string | undefined;
  readonly issuedBefore?: string | undefined;
  readonly explanation?: string | undefined;
  /** When clients should have renewed by; in the past unless told. */
  readonly until?: string | undefined;
};

const hourMs = 3_600_000;

/** Adds an incident. Clients learn of it with their next look at renewal information. */
export async function addIncident(options: AddIncidentOptions): Promise<void> {
  const now = new Date();
  const { explanation, until } = options;
  if (explanation !== undefined && !isWebUrl(explanation)) {
    throw new FatalError(`--explanation: '${explanation}' is not an http or https URL`);
  }
  // RFC 9773 §4.2: a window in the past says: renew at once.
  const window =
    until === undefined
      ? { windowStart: new Date(now.getTime() - 2 * hourMs), windowEnd: new Date(now.getTime() - hourMs) }
      : { windowStart: now, windowEnd: timeToCome('--until', until, now) };
  const serialNumbers = [...options.serial, ...serialsOf(options.serialsFile)].map(wholeOctets);
  const period = {
    ...(options.issuedFrom === undefined
      ? {}
      : { issuedFrom: pastTime('--issued-from', options.issuedFrom).getTime() }),
    ...(options.issuedBefore === undefined
      ? {}
      : { issuedBefore: pastTime('--issued-before', options.issuedBefore).getTime() }),
  };
  if (serialNumbers.length + options.account.length + Object.keys(period).length === 0) {
    throw new FatalError('say which certificates the incident is about', {
      hint: 'give --serial, --serials-file, --account, --issued-from or --issued-before; all that is given must fit',
    });
  }
  const incident = await withAcmeState(options, async ({ store }) => {
    const accounts = await Promise.all(options.account.map((one) => accountOf(store, one)));
    const selector: IncidentSelector = {
      ...(serialNumbers.length === 0 ? {} : { serialNumbers }),
      ...(accounts.length === 0 ? {} : { accounts: accounts.map(({ id }) => id) }),
      ...period,
    };
    const made = { id: newUnguessableId(), selector, explanationUrl: explanation, ...window, createdAt: now };
    await store.commit([insertIncident(made)]);
    return made;
  });
  if (options.json === true) {
    printJson(incident);
    return;
  }
  print(`incident ${incident.id}: ${describeSelector(incident.selector)}`);
  note(
    `  clients that look are told to renew between ${formatTime(window.windowStart)} and ${formatTime(window.windowEnd)}`,
  );
  note('  nothing is revoked by this');
}

const columns: readonly Column<Incident>[] = [
  ['incident', ({ id }) => id],
  ['state', ({ endedAt }) => (endedAt === undefined ? 'active' : `ended ${formatTime(endedAt)}`)],
  ['made', ({ createdAt }) => formatTime(createdAt)],
  ['renew until', ({ windowEnd }) => formatTime(windowEnd)],
  ['certificates', ({ selector }) => shorten(describeSelector(selector))],
  ['explanation', ({ explanationUrl }) => explanationUrl ?? '-'],
];

/** Lists incidents, the newest first. */
export async function listAcmeIncidents(options: AcmeListOptions): Promise<void> {
  const incidents = await withAcmeState(options, ({ store }) => listIncidents(store, options.limit ?? defaultLimit));
  if (options.json === true) printJson(incidents);
  else printTable(incidents, columns, 'there is no incident');
}

/** Ends an incident: its certificates are renewed when they usually are. */
export async function endAcmeIncident(id: string, options: AcmeOptions): Promise<void> {
  const hasEnded = await withAcmeState(options, ({ store }) => endIncident(store, id, new Date()));
  if (!hasEnded) {
    throw new FatalError(`there is no active incident '${id}'`, { hint: "'gatehouse acme incident list' shows them" });
  }
  if (options.json === true) printJson({ id, state: 'ended' });
  else print(`incident ${id} has ended`);
}

/** The keep writes whole octets. */
function wholeOctets(serial: string): string {
  const digits = parseSerialNumber(serial);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

function serialsOf(file: string | undefined): readonly string[] {
  if (file === undefined) return [];
  return readFileSync(file === '-' ? 0 : file, 'utf8')
    .split(/\s+/)
    .filter((text) => text !== '');
}

function describeSelector({ serialNumbers, accounts, issuedFrom, issuedBefore }: IncidentSelector): string {
  return [
    serialNumbers === undefined ? '' : `${serialNumbers.length} by serial number`,
    accounts === undefined ? '' : `of accounts ${accounts.join(' ')}`,
    issuedFrom === undefined ? '' : `issued from ${formatTime(new Date(issuedFrom))}`,
    issuedBefore === undefined ? '' : `issued before ${formatTime(new Date(issuedBefore))}`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function isWebUrl(text: string): boolean {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'https:' || protocol === 'http:';
}
