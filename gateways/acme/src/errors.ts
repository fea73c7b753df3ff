// How a refusal becomes a problem document: what the gate says itself, and one table for what the keep says. A new type of
// CoreError without a row does not compile. Details go to clients; causes go to the log and nowhere else.

import { describeCoreError, type ErrorTable } from '@gatehouse/gateway-kit/error-table';
import type { CoreError, NameRefusal } from '@gatehouse/ra-client/core-error';
import type { Link } from './exchange.ts';
import { type Identifier, type Problem, type ProblemType, problemStatuses, type Subproblem } from './problem.ts';

/** What an {@link AcmeError} may carry besides its detail. */
export type AcmeErrorOptions = {
  /** HTTP status where it is not that of the type: 404, 405, 413, 415, 401, 409, 503. */
  readonly status?: number;
  readonly subproblems?: readonly Subproblem[];
  readonly algorithms?: readonly string[];
  readonly location?: string;
  readonly links?: readonly Link[];
  readonly retryAfterSeconds?: number;
  /** Methods that would have been right: with 405. */
  readonly allow?: string;
  /** For the log only. */
  readonly cause?: unknown;
};

/** A refusal. `detail` goes to the client: it names the offender, never internals. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  readonly type: ProblemType;
  readonly detail: string;
  readonly status: number;
  readonly options: AcmeErrorOptions;

  constructor(type: ProblemType, detail: string, options: AcmeErrorOptions = {}) {
    super(`${type}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.type = type;
    this.detail = detail;
    this.status = options.status ?? problemStatuses[type];
    this.options = options;
  }

  /** What it says to a client. */
  get problem(): Problem {
    const { subproblems, algorithms } = this.options;
    return { type: this.type, detail: this.detail, status: this.status, subproblems, algorithms };
  }
}

/** Something that is not there, or not for this client: both look alike. @param what `order`, `authorization`, … */
export function notFound(what: string): AcmeError {
  return new AcmeError('malformed', `there is no such ${what}`, { status: 404 });
}

/**
 * The refusal of a list of identifiers, RFC 8555 §6.7.1: all that is wrong at once, each with its identifier. Its type is
 * the one that all of them have, else `compound`.
 *
 * @param subproblems at least one
 */
export function refuseIdentifiers(subproblems: readonly Subproblem[]): AcmeError {
  const types = new Set(subproblems.map(({ type }) => type));
  const [only] = types;
  const type = types.size === 1 && only !== undefined ? only : 'compound';
  const [first] = subproblems;
  const detail =
    subproblems.length === 1 && first !== undefined
      ? first.detail
      : `${subproblems.length} identifiers are refused: ${subproblems.map((one) => one.detail).join('; ')}`;
  return new AcmeError(type, detail, { subproblems });
}

/** What an error of the keep becomes. */
type CoreRow = {
  readonly type: ProblemType;
  readonly status?: number;
  /** Seconds to wait where the keep does not say. */
  readonly retryAfterSeconds?: number;
  /** The keep refused what this gate vouches for, or what it is: an operator should look at it. */
  readonly isAlarming?: boolean;
};

/** What each type of CoreError becomes, in an answer and in the error of an order. */
export const coreErrors: ErrorTable<CoreRow> = {
  malformed: { type: 'malformed' },
  'bad-csr': { type: 'badCSR' },
  'bad-key': { type: 'badCSR' },
  'out-of-scope': { type: 'rejectedIdentifier' },
  'rejected-name': { type: 'rejectedIdentifier' },
  'profile-unknown': { type: 'invalidProfile' },
  'profile-refuses': { type: 'invalidProfile' },
  'evidence-missing': { type: 'unauthorized', isAlarming: true },
  'evidence-invalid': { type: 'unauthorized', isAlarming: true },
  'already-revoked': { type: 'alreadyRevoked' },
  'not-found': { type: 'malformed', status: 404 },
  'rate-limited': { type: 'rateLimited', retryAfterSeconds: 5 },
  unavailable: { type: 'serverInternal', status: 503, retryAfterSeconds: 5 },
  // The credential of this gate does not allow it: nothing that a client could mend.
  unauthorized: { type: 'serverInternal', isAlarming: true },
  conflict: { type: 'serverInternal', isAlarming: true },
  internal: { type: 'serverInternal' },
};

/** The refusal that an error of the keep becomes. */
export function toAcmeError(error: CoreError): AcmeError {
  const row = coreErrors[error.code];
  const isOurFault = row.type === 'serverInternal' && error.code !== 'internal';
  const detail = isOurFault ? publicFault(error) : describeCoreError(error);
  const retryAfterSeconds =
    row.retryAfterSeconds === undefined ? undefined : (error.retryAfterSeconds ?? row.retryAfterSeconds);
  return new AcmeError(row.type, detail, {
    cause: error,
    ...(row.status === undefined ? {} : { status: row.status }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    subproblems: error.names.map(({ type, detail: why, name }) => ({
      type: coreErrors[type].type,
      detail: why,
      identifier: toIdentifier(name),
    })),
  });
}

/** Whether an operator should know that the keep refused so. */
export function isAlarming(error: CoreError): boolean {
  return coreErrors[error.code].isAlarming === true;
}

function publicFault(error: CoreError): string {
  return error.code === 'unavailable'
    ? 'the certificate authority cannot be reached now; try again'
    : 'the certificate authority does not take this request from here';
}

function toIdentifier({ name }: NameRefusal['name']): Identifier | undefined {
  return name?.$case === 'dns' || name?.$case === 'ip' ? { type: name.$case, value: name.value } : undefined;
}
