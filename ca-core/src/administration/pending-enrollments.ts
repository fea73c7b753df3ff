/** Enrollments that wait for a person, as an operator sees them. */

import { parseGeneralName } from '@gatehouse/pkix/general-names';
import type { PendingEnrollment } from '@gatehouse/proto/administration';
import { generalNameMessage } from '../inventory/certificate-record.ts';
import type { Keep } from '../keep.ts';
import { listPendingRequests } from '../store/requests.ts';

/** More than a person can look through; older ones come first, so none is hidden for good. */
const longestList = 1000;

/** Oldest first. */
export function listPendingEnrollments(keep: Keep): readonly PendingEnrollment[] {
  return listPendingRequests(keep.store, longestList).map((record) => ({
    requestId: record.id,
    profile: record.profile,
    registrationAuthority: record.registrationAuthority,
    requester: record.requester,
    requestedAt: record.requestedAt,
    subject: record.subject,
    names: record.names.map((name) => generalNameMessage(parseGeneralName(name))),
  }));
}
