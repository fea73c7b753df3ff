// CRLs over HTTP, RFC 5280 §4.2.1.13: small ones from memory, large ones streamed from a file that stays open, whole or in
// part. One that is past its nextUpdate is not handed out as if it were good: nothing stale is ever served silently.

import type { Readable } from 'node:stream';
import { contentHeaders, notModified, refuse, type StatusAnswer } from './answer.ts';
import { isRangeCurrent, judgePreconditions, type Validators } from './conditional.ts';
import { refusals } from './errors.ts';
import { cacheControl } from './freshness.ts';
import { formatHttpDate } from './http-date.ts';
import { type RangeRequest, readRange } from './range.ts';
import type { HeldCrl } from './state/crl-shelf.ts';
import type { StatusGate, StatusRequest } from './status-gate.ts';

const deltaEnd = '-delta';
const contentType = 'application/pkix-crl';

/** Answers with CRLs. */
export type CrlAnswers = (request: StatusRequest, name: string) => StatusAnswer;

/** Makes what answers with CRLs. */
export function createCrlAnswers(gate: StatusGate): CrlAnswers {
  let downloads = 0;

  /** Counts a stream for as long as it is read. */
  const open = ({ file }: HeldCrl, first: number, last: number): Readable => {
    downloads++;
    return file.stream(first, last).once('close', () => downloads--);
  };

  const send = (
    request: StatusRequest,
    held: HeldCrl,
    range: RangeRequest,
    caching: readonly string[],
  ): StatusAnswer => {
    const { contents, size } = held.file;
    if (range.kind === 'unsatisfiable') {
      return refuse(refusals.rangeNotSatisfiable, ['Content-Range', `bytes */${size}`]);
    }
    const isPart = range.kind === 'part';
    const [first, last] = isPart ? [range.first, range.last] : [0, size - 1];
    const isStreamed = contents === undefined && request.method !== 'HEAD';
    if (isStreamed && downloads >= gate.configuration.downloads) return refuse(refusals.busy);
    const place = isPart ? ['Content-Range', `bytes ${first}-${last}/${size}`] : [];
    return {
      status: isPart ? 206 : 200,
      headers: [...contentHeaders(contentType, last + 1 - first), ...place, ...caching],
      body: isStreamed ? () => open(held, first, last) : contents?.subarray(first, last + 1),
      outcome: isPart ? 'sent-in-part' : 'sent',
    };
  };

  return (request, name) => {
    const held = gate.crls.find(name);
    if (held === undefined) return refuse(isPublished(gate, name) ? refusals.notLoaded : refusals.notFound);
    const now = gate.clock.now().getTime();
    if (held.facts.nextUpdate.getTime() <= now) return refuse(refusals.over);

    const validators = validatorsOf(held);
    const caching = cachingOf(gate, held, validators, now);
    const verdict = judgePreconditions(request.headers, validators, now);
    if (verdict === 'failed') return refuse(refusals.preconditionFailed);
    if (verdict === 'not-modified') return notModified(caching);
    return send(request, held, rangeOf(request, held, validators, now), caching);
  };
}

function isPublished({ publication }: StatusGate, name: string): boolean {
  // Before anything was loaded, nobody can say which CRLs there are.
  if (publication.issuers.length === 0) return true;
  if (publication.scopes.has(name)) return true;
  return name.endsWith(deltaEnd) && publication.scopes.get(name.slice(0, -deltaEnd.length))?.hasDelta === true;
}

function validatorsOf({ facts, isDateCertain }: HeldCrl): Validators {
  const tag = Buffer.from(facts.sha256).toString('base64url').slice(0, 22);
  return { etag: `"${tag}"`, lastModified: facts.thisUpdate.getTime(), isDateCertain };
}

function cachingOf(gate: StatusGate, { facts }: HeldCrl, { etag, lastModified }: Validators, now: number) {
  const times = { thisUpdate: lastModified, nextUpdate: facts.nextUpdate.getTime() };
  return [
    'Last-Modified',
    formatHttpDate(lastModified),
    'ETag',
    etag,
    'Expires',
    formatHttpDate(times.nextUpdate),
    'Cache-Control',
    cacheControl(times, now, gate.configuration.caching.crl),
    'Accept-Ranges',
    'bytes',
  ];
}

// RFC 9110 §14.2: Range has a meaning for GET alone.
function rangeOf({ headers, method }: StatusRequest, held: HeldCrl, validators: Validators, now: number): RangeRequest {
  const ifRange = headers['if-range'];
  const isAsked = method === 'GET' && isRangeCurrent(ifRange?.toString(), validators, now);
  return readRange(isAsked ? headers.range : undefined, held.file.size);
}
