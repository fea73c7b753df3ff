// What a failure becomes. OCSP has statuses of its own, RFC 6960 §4.2.1, and they travel in an HTTP 200; what is wrong with
// the HTTP request itself is answered in HTTP. A new type of CoreError without a row does not compile.

import type { ErrorTable } from '@gatehouse/gateway-kit/error-table';
import type { OcspErrorStatus } from '@gatehouse/pkix/ocsp/response';

/** What each type of CoreError becomes when the keep was asked to sign a response. */
export const coreErrors: ErrorTable<OcspErrorStatus> = {
  malformed: 'malformedRequest',
  // RFC 5019 §2.2.3: the responder is not authoritative for what was asked.
  'not-found': 'unauthorized',
  'out-of-scope': 'unauthorized',
  'rate-limited': 'tryLater',
  unavailable: 'tryLater',
  // The credential of this gate is not accepted now: nothing that a relying party could mend, and it will pass.
  unauthorized: 'tryLater',
  conflict: 'tryLater',
  internal: 'internalError',
  // Never the answer to a question about status.
  'bad-csr': 'internalError',
  'bad-key': 'internalError',
  'rejected-name': 'internalError',
  'profile-unknown': 'internalError',
  'profile-refuses': 'internalError',
  'evidence-missing': 'internalError',
  'evidence-invalid': 'internalError',
  'already-revoked': 'internalError',
};

/** Why a request is refused in HTTP. */
export type Refusal = {
  readonly status: number;
  /** One line for whoever looks at it. */
  readonly line: string;
  /** Name for metrics and log. */
  readonly outcome: string;
};

/** The refusals, by what is wrong. RFC 9110 §15.5, §15.6. */
export const refusals = {
  malformedBody: { status: 400, line: 'the body cannot be read', outcome: 'malformed' },
  notFound: { status: 404, line: 'there is no such CRL, issuer or service here', outcome: 'not-found' },
  methodNotAllowed: { status: 405, line: 'the method is not allowed here', outcome: 'method-not-allowed' },
  tooSlow: { status: 408, line: 'the body took too long', outcome: 'too-slow' },
  preconditionFailed: { status: 412, line: 'a condition of the request does not hold', outcome: 'precondition-failed' },
  tooLarge: { status: 413, line: 'an OCSP request has at most 2048 octets', outcome: 'too-large' },
  uriTooLong: { status: 414, line: 'an OCSP request has at most 2048 octets', outcome: 'too-large' },
  wrongType: { status: 415, line: 'the body must be application/ocsp-request', outcome: 'wrong-type' },
  rangeNotSatisfiable: { status: 416, line: 'the range begins behind the end', outcome: 'range-not-satisfiable' },
  tooManyRequests: { status: 429, line: 'too many requests', outcome: 'too-many-requests' },
  notLoaded: { status: 503, line: 'it has not been fetched from the CA yet', outcome: 'not-loaded' },
  over: { status: 503, line: 'the CRL is past its nextUpdate and no newer one could be fetched', outcome: 'over' },
  busy: { status: 503, line: 'too many downloads at once', outcome: 'busy' },
} as const satisfies Readonly<Record<string, Refusal>>;
