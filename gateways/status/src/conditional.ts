// Conditional requests, RFC 9110 §13: whether the client has what it asks for already. Only for GET and HEAD: a POST of
// OCSP selects no representation, so that conditions mean nothing there (§13.2.1).

import type { IncomingHttpHeaders } from 'node:http';
import { parseHttpDate } from './http-date.ts';

/** What a representation is known by. */
export type Validators = {
  /** Strong entity-tag with its quotation marks. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  /** Whether lastModified tells it from what was there before; not when both were made in one second. */
  readonly isDateCertain: boolean;
};

/** What is to be answered: the representation, 304, or 412. */
export type Precondition = 'proceed' | 'not-modified' | 'failed';

/** Most of a field that is looked at. */
const longestField = 4096;
const tagForm = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Judges the conditions of a request in the order of RFC 9110 §13.2.2. @param now epoch milliseconds */
export function judgePreconditions(
  headers: IncomingHttpHeaders,
  { etag, lastModified, isDateCertain }: Validators,
  now: number,
): Precondition {
  const ifMatch = headers['if-match'];
  const ifUnmodifiedSince = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    // §13.1.1: compared strongly.
    if (!isListed(ifMatch, etag, true)) return 'failed';
  } else if (ifUnmodifiedSince !== undefined) {
    const since = parseHttpDate(ifUnmodifiedSince, now);
    if (since !== undefined && toSeconds(lastModified) > since) return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return isListed(ifNoneMatch, etag, false) ? 'not-modified' : 'proceed';
  const ifModifiedSince = headers['if-modified-since'];
  if (ifModifiedSince === undefined || !isDateCertain) return 'proceed';
  const since = parseHttpDate(ifModifiedSince, now);
  return since !== undefined && toSeconds(lastModified) <= since ? 'not-modified' : 'proceed';
}

/** Whether a Range may be answered with a part, RFC 9110 §13.1.5: the client's other parts are of this representation. */
export function isRangeCurrent(ifRange: string | undefined, validators: Validators, now: number): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === validators.etag;
  // A date counts only when it is exactly the one that was given, and tells representations apart.
  return validators.isDateCertain && parseHttpDate(ifRange, now) === toSeconds(validators.lastModified);
}

function isListed(field: string, etag: string, isStrong: boolean): boolean {
  if (field.trim() === '*') return true;
  for (const [whole, opaque] of field.slice(0, longestField).matchAll(tagForm)) {
    if (opaque === etag && !(isStrong && whole.startsWith('W/'))) return true;
  }
  return false;
}

function toSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}
