/**
 * URIs that a policy allows by how they begin. Scheme and authority must be those of the entry in full, so that
 * `https://example.com` lets neither `https://example.com.evil.test` nor `https://example.com@evil.test` nor another port
 * pass; the path must go on where the entry's ends. Nothing is decoded or normalised: what could be read in two ways is
 * outside. Gates and keep judge by this one rule, so that neither takes a URI for another.
 */
import { checkUri } from './general-name-syntax.ts';
import { NameError } from './name-error.ts';

/** A URI in its parts; `authority` is undefined where there is none (urn:…). */
type UriParts = { readonly scheme: string; readonly authority: string | undefined; readonly rest: string };

/**
 * Makes the check for one entry: `https://example.com`, `spiffe://example.org/ns/`, `urn:dev:`.
 *
 * @returns whether a URI begins so
 * @throws {NameError} for text that is no such entry; its detail is to be read after the quoted entry
 */
export function compileUriPrefix(entry: string): (uri: string) => boolean {
  const prefix = readPrefix(entry);
  return (uri) => {
    const parts = split(uri);
    return parts !== undefined && !hasAmbiguousPath(uri) && contains(prefix, parts);
  };
}

function contains(prefix: UriParts, uri: UriParts): boolean {
  if (uri.scheme !== prefix.scheme || uri.authority !== prefix.authority || !uri.rest.startsWith(prefix.rest))
    return false;
  // `/team` allows `/team` and `/team/x`, not `/teamwork`.
  const next = uri.rest[prefix.rest.length];
  return next === undefined || '/?#'.includes(next) || /[/:]$/.test(prefix.rest);
}

/** RFC 3986 §3. Scheme and host are compared without case (§6.2.2.1), everything else as it stands. */
function split(uri: string): UriParts | undefined {
  const [, scheme, , authority, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(\/\/([^/?#]*))?(.*)$/s.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  // No entry has user information, so a URI that has some is of no entry's authority.
  if (authority?.includes('@')) return undefined;
  return { scheme: scheme.toLowerCase(), authority: authority?.toLowerCase(), rest };
}

/** RFC 3986 §5.2.4, §6.2.2: dot segments, plain or encoded, and encoded separators lead elsewhere than they read. */
function hasAmbiguousPath(uri: string): boolean {
  const path = uri.replace(/^[^:]*:(?:\/\/[^/?#]*)?/, '').replace(/[?#].*$/s, '');
  if (/%(?:2f|5c|00)/i.test(path) || path.includes('\\')) return true;
  return path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
}

function readPrefix(entry: string): UriParts {
  const parts = split(entry);
  if (parts === undefined) throw new NameError('is not the beginning of a URI: scheme and authority in full, no user');
  if (parts.authority === undefined && parts.rest === '') throw new NameError('ends after the scheme');
  try {
    checkUri(entry);
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    throw new NameError('is not the beginning of a URI', { cause });
  }
  if (hasAmbiguousPath(entry)) throw new NameError('has a path that can be read in two ways');
  if (/[?#]/.test(entry)) throw new NameError('goes beyond the path');
  return parts;
}
