// A refusal as CMC tells it (RFC 5272 §6.1.4, RFC 7030 §4.3.2): which part failed and why, and the HTTP status around it.
// One table for the types of the keep and one for the gate's own, so that every refusal has both.

import { describeCoreError, type ErrorTable } from '@gatehouse/gateway-kit/error-table';
import { EstError, type EstErrorCode } from '@gatehouse/gateway-kit/est/error';
import { PkixError } from '@gatehouse/pkix/errors';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { answerCoreError, answerEstError } from '../errors.ts';
import { type CmcFailInfo, wholeMessage } from './status.ts';

/** What a {@link CmcFailure} may carry besides its detail. */
export type CmcFailureOptions = {
  /** Parts that failed; the whole message unless told. */
  readonly bodyParts?: readonly number[];
  /** HTTP status, unless it is that of the fail info. */
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The operation is known and not offered: CMCStatus noSupport instead of failed. */
  readonly isUnsupported?: boolean;
  /** For the log only. */
  readonly cause?: unknown;
};

/** A refusal. `detail` goes to the client: it names the offender, never internals. */
export class CmcFailure extends Error {
  override readonly name = 'CmcFailure';
  readonly failInfo: CmcFailInfo;
  readonly detail: string;
  readonly bodyParts: readonly number[];
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isUnsupported: boolean;

  constructor(failInfo: CmcFailInfo, detail: string, options: CmcFailureOptions = {}) {
    super(`${failInfo}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.failInfo = failInfo;
    this.detail = detail;
    this.bodyParts = options.bodyParts ?? [wholeMessage];
    this.httpStatus = options.httpStatus ?? httpStatusOf(failInfo);
    this.headers = options.headers ?? {};
    this.isUnsupported = options.isUnsupported ?? false;
  }
}

const coreFailures: ErrorTable<CmcFailInfo> = {
  malformed: 'badRequest',
  'bad-csr': 'badRequest',
  'bad-key': 'badAlg',
  // The gate's own credential is not accepted: nothing that the client could mend.
  unauthorized: 'internalCAError',
  'out-of-scope': 'badRequest',
  'rejected-name': 'badRequest',
  'profile-unknown': 'internalCAError',
  'profile-refuses': 'badRequest',
  'evidence-missing': 'badIdentity',
  'evidence-invalid': 'badIdentity',
  'already-revoked': 'badRequest',
  'not-found': 'badCertId',
  conflict: 'badRequest',
  'rate-limited': 'tryLater',
  unavailable: 'tryLater',
  internal: 'internalCAError',
};

const estFailures: Readonly<Record<EstErrorCode, CmcFailInfo>> = {
  malformed: 'badRequest',
  'wrong-name': 'badRequest',
  unauthenticated: 'badIdentity',
  'not-allowed': 'badRequest',
  'not-found': 'badRequest',
  'method-not-allowed': 'badRequest',
  'too-slow': 'badRequest',
  'too-large': 'badRequest',
  'unsupported-media-type': 'badRequest',
  'too-many-requests': 'tryLater',
  unavailable: 'tryLater',
};

/**
 * The refusal that an error stands for; undefined for what is no refusal but a defect.
 *
 * @param bodyParts parts that it is about, where the error itself does not say
 * @param failInfo what it means here, where that is known better than by the table
 */
export function toCmcFailure(
  error: unknown,
  bodyParts: readonly number[] = [wholeMessage],
  failInfo?: CmcFailInfo,
): CmcFailure | undefined {
  if (error instanceof CmcFailure) return error;
  if (error instanceof EstError) {
    const { status, headers } = answerEstError(error);
    return new CmcFailure(failInfo ?? estFailures[error.code], error.detail, {
      bodyParts,
      httpStatus: status,
      cause: error,
      ...(headers === undefined ? {} : { headers }),
    });
  }
  if (error instanceof CoreError) {
    const { status, headers } = answerCoreError(error);
    return new CmcFailure(failInfo ?? coreFailures[error.code], describeCoreError(error), {
      bodyParts,
      httpStatus: status,
      cause: error,
      ...(headers === undefined ? {} : { headers }),
    });
  }
  if (error instanceof PkixError) return new CmcFailure('badRequest', error.detail, { bodyParts, cause: error });
  return undefined;
}

function httpStatusOf(failInfo: CmcFailInfo): number {
  switch (failInfo) {
    case 'badIdentity':
      return 403;
    case 'internalCAError':
      return 500;
    case 'tryLater':
      return 503;
    default:
      return 400;
  }
}
