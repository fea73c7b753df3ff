// One request and one answer as they are over HTTPS, beside what all gates of EST have: nothing of the HTTP library reaches further in
// than server.ts, so that each operation is a function from an exchange to an answer.

import type { EnrollmentExchange } from '@gatehouse/gateway-kit/est/exchange';

/** A request, routed to one operation of one label. */
export type EstExchange = EnrollmentExchange & {
  /** Value of the Authorization field. */
  readonly authorization: string | undefined;
  readonly method: string;
  /** Request target as it stood in the request line; Digest signs it. */
  readonly target: string;
  /** Body as it came; empty for GET. */
  readonly body: Uint8Array;
};

/** An answer. */
export type EstAnswer = {
  readonly status: number;
  readonly contentType?: string | undefined;
  /** Sent with its exact length, in one write with the header. */
  readonly body?: string | undefined;
  /** Further fields by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What became of the request, for its log line. */
  readonly outcome?: string | undefined;
  /** Called when the client went away before the whole answer was written to it. */
  readonly onUndelivered?: (() => Promise<void>) | undefined;
};
