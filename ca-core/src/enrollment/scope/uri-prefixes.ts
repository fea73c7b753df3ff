/** URIs of a scope: whatever begins as an entry does, by the one rule for prefixes (pkix/uri-prefix). */
import { NameError } from '@gatehouse/pkix/name-error';
import { compileUriPrefix } from '@gatehouse/pkix/uri-prefix';
import { badEntry, everything } from './entry.ts';

/** Makes the check for URIs. Throws CoreError `malformed` for an entry that is no prefix. */
export function compileUriPrefixes(entries: readonly string[]): (uri: string) => boolean {
  const allowsAll = entries.includes(everything);
  const prefixes = entries.filter((entry) => entry !== everything).map(readEntry);
  return (uri) => allowsAll || prefixes.some((covers) => covers(uri));
}

function readEntry(entry: string): (uri: string) => boolean {
  try {
    return compileUriPrefix(entry);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw badEntry(entry, error.detail);
  }
}
