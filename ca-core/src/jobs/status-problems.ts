/** Why the status of certificates is not published as it should be, for readiness. */
import type { ReadinessProblem } from '@gatehouse/runtime/management';

/**
 * The problems that there are.
 *
 * @param thread why the status thread does not work
 * @param late names of CRLs that are missing or late
 */
export function statusProblems(
  thread: string | undefined,
  late: readonly string[],
  isRootOver: boolean,
): readonly ReadinessProblem[] {
  const found: ReadinessProblem[] = [];
  if (thread !== undefined) found.push({ check: 'status', detail: thread });
  const [first] = late;
  if (first !== undefined) {
    const others = late.length === 1 ? '' : ` and ${late.length - 1} more`;
    found.push({ check: 'crl', detail: `the CRL ${first}${others} is missing or was not replaced in time` });
  }
  if (isRootOver) found.push({ check: 'crl', detail: 'the CRL of the root is over; make another one with its key' });
  return found;
}
