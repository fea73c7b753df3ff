/** DNS names of a scope: `example.com` allows itself and whatever ends in `.example.com`, on label boundaries only. */
import { isHostName } from '@gatehouse/pkix/general-name-syntax';
import { endsInNumber } from '../alternative-names.ts';
import { badEntry, everything } from './entry.ts';

/** Makes the check for DNS names. Throws CoreError `malformed` for an entry that is no domain. */
export function compileDnsSuffixes(entries: readonly string[]): (name: string) => boolean {
  const suffixes = new Set(entries.map(readEntry));
  const allowsAll = suffixes.has(everything);
  return (name) => {
    // RFC 6125 §6.4.3: a wildcard stands for one label below its base, so the base decides.
    const host = (name.startsWith('*.') ? name.slice(2) : name).toLowerCase();
    // A trailing dot, an empty label or anything else that is no host name cannot be judged by its labels.
    if (!isHostName(host) || endsInNumber(host)) return false;
    return allowsAll || hasSuffix(suffixes, host);
  };
}

function hasSuffix(suffixes: ReadonlySet<string>, host: string): boolean {
  for (let start = 0; ; ) {
    if (suffixes.has(host.slice(start))) return true;
    const dot = host.indexOf('.', start);
    if (dot < 0) return false;
    start = dot + 1;
  }
}

function readEntry(entry: string): string {
  if (entry === everything) return entry;
  if (entry.startsWith('*.') || entry.startsWith('.')) {
    throw badEntry(entry, `is not a domain; write '${entry.replace(/^\*?\./, '')}', which allows all below it`);
  }
  if (!isHostName(entry) || endsInNumber(entry)) throw badEntry(entry, 'is not a domain in ASCII');
  return entry.toLowerCase();
}
