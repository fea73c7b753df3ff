/** Rules for what certificates of a profile say about their status. */
import type { ConsistencyRule } from './consistency.ts';

export const statusRules: readonly ConsistencyRule[] = [
  function* credentialsAreNobodysBusiness({ authority, status }) {
    // Who holds a credential of the bridge is judged by the core itself, at each call.
    if (authority === 'service' && status !== 'unpublished') {
      yield { path: ['status'], message: 'must be unpublished for the service authority' };
    }
  },
  function* authoritiesCanBeRevoked({ basicConstraints, status }) {
    if (status === 'no-rev-avail' && basicConstraints.isCa) {
      yield { path: ['status'], message: 'no-rev-avail is never for a CA (RFC 9608 §3)' };
    }
  },
  function* noPlaceForWhatIsNeverPublished({ status, crlDistributionPoints, authorityInformationAccess }) {
    if (status !== 'no-rev-avail') return;
    const message = 'stands beside status no-rev-avail; leave one of them out (RFC 9608 §3)';
    if (crlDistributionPoints.length > 0) yield { path: ['crlDistributionPoints'], message };
    if (authorityInformationAccess.ocsp.length > 0) yield { path: ['authorityInformationAccess', 'ocsp'], message };
  },
];
