// Collects what came of the parts of a Full PKI Request while they are processed, so that a failure half-way tells of what
// was done before it. It turns into one response, with the HTTP status of the worst that happened.

import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import type { Clock } from '@gatehouse/runtime/clock';
import type { ReturnedControls } from './controls.ts';
import type { CmcFailure } from './failure.ts';
import type { CmcResponse } from './pki-response.ts';
import { type CmcStatusInfo, wholeMessage } from './status.ts';

/** What came of a request so far. */
export type Progress = {
  /** Controls that go back with the answer. */
  returns(controls: ReturnedControls): void;
  /** The parts that are going to be processed. */
  begins(bodyParts: readonly number[]): void;
  /** @param isQuery whether the client asked for an enrollment that it knows is pending */
  enrolled(bodyPartId: number, outcome: EnrollmentOutcome, isQuery: boolean): void;
  revoked(status: CmcStatusInfo): void;
  /** Ends the processing. */
  failed(failure: CmcFailure): void;
  response(): CmcResponse;
};

/** Makes an empty one. */
export function createProgress(clock: Clock): Progress {
  let returned: ReturnedControls = { transactionId: undefined, senderNonce: undefined, dataReturn: undefined };
  let expected: readonly number[] = [];
  let retryAfterSeconds = 0;
  let failure: CmcFailure | undefined;
  let hasRevoked = false;
  const statuses: CmcStatusInfo[] = [];
  const certificates: Uint8Array[] = [];

  const response = (): CmcResponse => {
    const shared = { certificates, returned, isFull: hasRevoked };
    if (failure !== undefined) {
      const { httpStatus, headers, detail, failInfo } = failure;
      const all = [...statuses, ...failedStatuses(failure, statuses, expected)];
      return { ...shared, httpStatus, headers, statuses: all, outcome: `${failInfo}: ${detail}` };
    }
    if (retryAfterSeconds > 0) {
      const headers = { 'retry-after': String(retryAfterSeconds) };
      return { ...shared, httpStatus: 202, headers, statuses, outcome: 'pending' };
    }
    const outcome = hasRevoked ? (certificates.length === 0 ? 'revoked' : 'issued and revoked') : 'issued';
    return { ...shared, httpStatus: 200, statuses, outcome };
  };

  return {
    returns: (controls) => {
      returned = controls;
    },
    begins: (bodyParts) => {
      expected = bodyParts;
    },
    enrolled: (bodyPartId, outcome, isQuery) => {
      const bodyParts = [bodyPartId];
      if (outcome.kind === 'issued') {
        // RFC 5272 §4.1: what leads to the trust anchor should be there too; the anchor itself the client has.
        certificates.push(outcome.certificate, ...outcome.chain.slice(0, -1));
        statuses.push({ status: 'success', bodyParts });
        return;
      }
      const seconds = Math.max(1, Math.ceil(outcome.retryAfterSeconds));
      retryAfterSeconds = Math.max(retryAfterSeconds, seconds);
      const pendInfo = {
        pendToken: Buffer.from(outcome.requestId, 'latin1'),
        pendTime: new Date(clock.now().getTime() + seconds * 1000),
      };
      // RFC 5272 §6.13: an answer to a query repeats the pendInfo of the first one, or leaves it out.
      statuses.push({ status: 'pending', bodyParts, ...(isQuery ? {} : { pendInfo }) });
    },
    revoked: (status) => {
      hasRevoked = true;
      statuses.push(status);
    },
    failed: (refusal) => {
      failure = refusal;
    },
    response,
  };
}

function failedStatuses(
  { bodyParts, detail, failInfo, isUnsupported }: CmcFailure,
  done: readonly CmcStatusInfo[],
  expected: readonly number[],
): readonly CmcStatusInfo[] {
  const own: CmcStatusInfo = isUnsupported
    ? { status: 'noSupport', bodyParts, statusString: detail }
    : { status: 'failed', bodyParts, failInfo, statusString: detail };
  // A failure of the whole message is one of all its parts.
  if (bodyParts.includes(wholeMessage)) return [own];
  const settled = new Set([...bodyParts, ...done.flatMap((status) => status.bodyParts)]);
  const untouched = expected.filter((id) => !settled.has(id));
  if (untouched.length === 0) return [own];
  const statusString = 'not processed, because another part failed';
  return [own, { status: 'failed', bodyParts: untouched, failInfo: 'badRequest', statusString }];
}
