/**
 * The one error that crosses the bridge. The keep throws it, the wire carries it as `CoreErrorDetail` in the trailer,
 * and `ra-client` throws it again; its public `detail` must never hold internals, which belong into `cause`.
 */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CoreErrorDetail, type GeneralName, NameError } from './generated/gatehouse/ca/v1/types.ts';

/** Every type of error of the contract, with the gRPC status that carries it. ARCHITECTURE §3. */
export const coreErrorTypes = {
  malformed: status.INVALID_ARGUMENT,
  'bad-csr': status.INVALID_ARGUMENT,
  'bad-key': status.INVALID_ARGUMENT,
  unauthorized: status.PERMISSION_DENIED,
  'out-of-scope': status.PERMISSION_DENIED,
  'rejected-name': status.INVALID_ARGUMENT,
  'profile-unknown': status.NOT_FOUND,
  'profile-refuses': status.FAILED_PRECONDITION,
  'evidence-missing': status.FAILED_PRECONDITION,
  'evidence-invalid': status.FAILED_PRECONDITION,
  'already-revoked': status.ALREADY_EXISTS,
  'not-found': status.NOT_FOUND,
  conflict: status.ABORTED,
  'rate-limited': status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
} as const;

/** The name of a type of error: what callers switch on. */
export type CoreErrorType = keyof typeof coreErrorTypes;

/** Why one name was refused. */
export type NameRefusal = { readonly name: GeneralName; readonly type: CoreErrorType; readonly detail: string };

/** What an error may carry besides its type and detail. */
export type CoreErrorOptions = {
  /** One per refused name. */
  readonly names?: readonly NameRefusal[];
  /** Whole seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number;
  /** Id under which the core logged an `internal` error. */
  readonly incident?: string;
  /** For the log only. */
  readonly cause?: unknown;
};

/** Trailer key; the `-bin` suffix makes gRPC carry octets. */
const trailerKey = 'gatehouse-error-bin';

/** A failure with a meaning that every protocol can translate. `code` is what callers switch on. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  readonly code: CoreErrorType;
  /** For the client: names the offender, never internals. */
  readonly detail: string;
  readonly names: readonly NameRefusal[];
  readonly retryAfterSeconds: number | undefined;
  readonly incident: string | undefined;

  constructor(code: CoreErrorType, detail: string, options: CoreErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.names = options.names ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.incident = options.incident;
  }
}

/**
 * HTTP/2 bounds the fields of a message (64 KiB in Node.js), and a trailer that goes beyond ends the whole connection
 * with every call on it. These leave room for base64 and for the percent signs of the status message.
 */
const longestDetail = 1024;
const mostOctetsOfNames = 24 * 1024;

/** What a gRPC handler passes to its callback to answer with `error`; of a great many refused names the first ones go. */
export function toServiceError(error: CoreError): Partial<ServiceError> {
  const metadata = new Metadata();
  const detail = cut(error.detail);
  const message = CoreErrorDetail.encode({
    type: error.code,
    detail,
    names: namesThatFit(error.names),
    retryAfterSeconds: error.retryAfterSeconds ?? 0,
    incident: error.incident ?? '',
  }).finish();
  metadata.set(trailerKey, Buffer.from(message));
  return { code: coreErrorTypes[error.code], details: detail, metadata };
}

function namesThatFit(names: readonly NameRefusal[]): NameRefusal[] {
  let octets = 0;
  return names
    .map((refusal) => ({ ...refusal, detail: cut(refusal.detail) }))
    .filter((refusal) => {
      octets += NameError.encode(refusal).finish().length;
      return octets <= mostOctetsOfNames;
    });
}

function cut(detail: string): string {
  return detail.length <= longestDetail ? detail : `${detail.slice(0, longestDetail)}…`;
}

/**
 * The error that a failed call carries; without a readable trailer it is judged by the gRPC status alone.
 *
 * @param server who was called, for the detail of such a judgement
 */
export function fromServiceError(error: ServiceError, server = 'the CA core'): CoreError {
  const trailer = error.metadata?.get(trailerKey)[0];
  if (trailer instanceof Uint8Array) {
    try {
      const detail = CoreErrorDetail.decode(trailer);
      if (isCoreErrorType(detail.type)) {
        return new CoreError(detail.type, detail.detail, {
          names: detail.names.flatMap((refusal) =>
            refusal.name && isCoreErrorType(refusal.type)
              ? [{ name: refusal.name, type: refusal.type, detail: refusal.detail }]
              : [],
          ),
          ...(detail.retryAfterSeconds > 0 ? { retryAfterSeconds: detail.retryAfterSeconds } : {}),
          ...(detail.incident === '' ? {} : { incident: detail.incident }),
          cause: error,
        });
      }
    } catch {
      // An unreadable trailer says no more than the status does.
    }
  }
  return new CoreError(typeOfStatus(error.code), describeStatus(error, server), { cause: error });
}

function typeOfStatus(code: status): CoreErrorType {
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      return 'unavailable';
    case status.RESOURCE_EXHAUSTED:
      return 'rate-limited';
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
    case status.UNIMPLEMENTED:
      return 'unauthorized';
    case status.NOT_FOUND:
      return 'not-found';
    case status.INVALID_ARGUMENT:
      return 'malformed';
    default:
      return 'internal';
  }
}

function describeStatus(error: ServiceError, server: string): string {
  switch (typeOfStatus(error.code)) {
    case 'unavailable':
      return `${server} cannot be reached`;
    case 'unauthorized':
      return `${server} does not allow this call`;
    default:
      return `${server} could not answer`;
  }
}

function isCoreErrorType(type: string): type is CoreErrorType {
  return Object.hasOwn(coreErrorTypes, type);
}
