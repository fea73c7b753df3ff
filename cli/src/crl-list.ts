/** What `gatehouse crl list` does. */
import type { CrlFacts } from '@gatehouse/ra-client/administration';
import { asOperator, type OperatorOptions } from './operator.ts';
import { type Column, formatTime, note, printJson, printTable } from './output.ts';

/** What is printed of each CRL. */
export const crlColumns: readonly Column<CrlFacts>[] = [
  ['scope', ({ scope }) => scope],
  ['kind', ({ isDelta }) => (isDelta ? 'delta' : 'full')],
  ['number', ({ crlNumber }) => String(crlNumber)],
  ['base', ({ isDelta, baseCrlNumber }) => (isDelta ? String(baseCrlNumber) : '-')],
  ['this update', ({ thisUpdate }) => formatTime(thisUpdate)],
  ['next update', ({ nextUpdate }) => formatTime(nextUpdate)],
  ['entries', ({ entries }) => String(entries)],
  ['octets', ({ size }) => String(size)],
];

/** Lists them by scope; a full CRL stands before its delta. */
export async function listCrls(options: OperatorOptions): Promise<void> {
  const crls = await asOperator(options, ({ administration }) => administration.listCrls());
  if (options.json === true) {
    printJson(crls.map(describeCrlFacts));
    return;
  }
  printTable(crls, crlColumns, 'there is no CRL yet');
  for (const crl of crls) noteEnd(crl, new Date());
}

/** The root's CRL is made by a person, who may have to fetch its key from somewhere. */
const rootNoticeMs = 60 * 24 * 3_600_000;

function noteEnd({ scope, isDelta, nextUpdate }: CrlFacts, now: Date): void {
  if (nextUpdate === undefined) return;
  const restMs = nextUpdate.getTime() - now.getTime();
  if (scope === 'root' && restMs < rootNoticeMs) {
    note(`The root's CRL ends at ${formatTime(nextUpdate)}: renew it with its key, 'gatehouse crl generate root'.`);
  } else if (restMs < 0) {
    note(`${scope}${isDelta ? '-delta' : ''} is over: see the log of the core.`);
  }
}

/** The shape of `--json`. */
export function describeCrlFacts({ sha256, baseCrlNumber, ...facts }: CrlFacts): unknown {
  return { ...facts, ...(facts.isDelta ? { baseCrlNumber } : {}), sha256: Buffer.from(sha256).toString('hex') };
}
