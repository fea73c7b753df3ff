// An answer before it is written: nothing of node's HTTP reaches further in than server.ts and the bodies it reads.

import type { Readable } from 'node:stream';
import type { Refusal } from './errors.ts';
import { doNotStore } from './freshness.ts';

/** An answer. */
export type StatusAnswer = {
  readonly status: number;
  /** Names and values in turn, as node takes them with the least work; made for this answer alone. */
  readonly headers: string[];
  /** Octets, or what opens a stream of them; header fields tell the length. */
  readonly body: Uint8Array | (() => Readable) | undefined;
  /** Name for metrics. */
  readonly outcome: string;
  /** Cause for the log; what goes well is counted and not logged. */
  readonly detail?: string | undefined;
};

const retryAfterSeconds = '5';

/** Refuses in HTTP, with one line of text. @param headers names and values in turn */
export function refuse({ status, line, outcome }: Refusal, headers: readonly string[] = []): StatusAnswer {
  const body = Buffer.from(`${line}\n`);
  const retry = status === 503 || status === 429 ? ['Retry-After', retryAfterSeconds] : [];
  return {
    status,
    headers: [...contentHeaders('text/plain; charset=utf-8', body.length), ...doNotStore, ...retry, ...headers],
    body,
    outcome,
    detail: line,
  };
}

/** RFC 9110 §15.4.5: what a 200 would have said about caching, and no content. */
export function notModified(caching: string[]): StatusAnswer {
  return { status: 304, headers: caching, body: undefined, outcome: 'not-modified' };
}

/** Type and length of a body. */
export function contentHeaders(contentType: string, length: number): readonly string[] {
  return ['Content-Type', contentType, 'Content-Length', String(length)];
}
