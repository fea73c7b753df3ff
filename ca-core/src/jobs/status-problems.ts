/** Why the status of certificates is not published as it should be, for readiness. */
import type { ReadinessProblem } from '@gatehouse/runtime/management';

/** What readiness looks at. */
export type StatusState = {
  /** Why the status thread does not work. */
  readonly thread: string | undefined;
  /** Names of CRLs that are missing or late. */
  readonly lateCrls: readonly string[];
  readonly isRootCrlOver: boolean;
  /** The responder's certificate has ended, and none could take its place. */
  readonly isResponderOver: boolean;
};

/** The problems that there are. */
export function statusProblems(state: StatusState): readonly ReadinessProblem[] {
  const { thread, lateCrls } = state;
  const problems: ReadinessProblem[] = [];
  if (thread !== undefined) problems.push({ check: 'status', detail: thread });
  if (state.isResponderOver) problems.push({ check: 'status', detail: 'the OCSP responder has expired' });
  const [first] = lateCrls;
  if (first !== undefined) {
    const others = lateCrls.length === 1 ? '' : ` and ${lateCrls.length - 1} more`;
    problems.push({ check: 'crl', detail: `the CRL ${first}${others} is missing or was not replaced in time` });
  }
  if (state.isRootCrlOver) {
    problems.push({ check: 'crl', detail: 'the CRL of the root is over; make another one with its key' });
  }
  return problems;
}
