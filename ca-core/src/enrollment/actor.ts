/** Whose doing an enrollment is, for the audit log: the RA that asked for it, or the operator that approved it. */
import type { EnrollmentContext } from './pipeline.ts';

/** URI of the actor. */
export function actorOf({ approval, caller }: Pick<EnrollmentContext, 'approval' | 'caller'>): string {
  return approval?.operator ?? caller.uri;
}
