/** E-mail addresses of a scope: the domain exactly; `example.com` says nothing about mail to `dept.example.com`. */
import { isHostName } from '@gatehouse/pkix/general-name-syntax';
import { badEntry, everything } from './entry.ts';

/** Makes the check for e-mail addresses. Throws CoreError `malformed` for an entry that is no domain. */
export function compileEmailDomains(entries: readonly string[]): (address: string) => boolean {
  const domains = new Set(entries.map(readEntry));
  const allowsAll = domains.has(everything);
  return (address) => {
    // RFC 5321 §4.1.2: a quoted local part may hold '@', a domain cannot.
    const at = address.lastIndexOf('@');
    if (at < 1) return false;
    return allowsAll || domains.has(address.slice(at + 1).toLowerCase());
  };
}

function readEntry(entry: string): string {
  if (entry === everything) return entry;
  if (entry.includes('@')) throw badEntry(entry, "is not a domain; leave out what stands before '@'");
  if (!isHostName(entry)) throw badEntry(entry, 'is not a domain in ASCII');
  return entry.toLowerCase();
}
