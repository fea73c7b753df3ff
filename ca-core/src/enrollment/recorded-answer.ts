/** The answer that a stored enrollment gives when it is asked for again. */
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import { findCertificate } from '../store/certificates.ts';
import type { RequestRecord } from '../store/requests.ts';
import { type EnrollmentAnswer, pendingRetryAfterSeconds } from './answer.ts';

/** The first answer, repeated. Throws CoreError `profile-refuses` with the approver's reason when it was rejected. */
export function answerOfRecord(keep: Keep, record: RequestRecord): EnrollmentAnswer {
  switch (record.state) {
    case 'pending':
      return {
        kind: 'pending',
        requestId: record.id,
        retryAfterSeconds: pendingRetryAfterSeconds,
        isRepeated: true,
      };
    case 'rejected':
      throw new CoreError('profile-refuses', `the request was rejected: ${record.reason ?? 'no reason given'}`);
    case 'issued': {
      const certificate =
        record.serialNumber === undefined ? undefined : findCertificate(keep.store, record.serialNumber);
      if (certificate === undefined)
        throw new Error(`enrollment ${record.id} is issued but its certificate is missing`);
      return {
        kind: 'issued',
        requestId: record.id,
        certificate: certificate.certificate,
        chain: (certificate.authority === 'service' ? keep.service : keep.issuing).chain,
        serialNumber: certificate.serialNumber,
        notBefore: certificate.notBefore,
        notAfter: certificate.notAfter,
        isRepeated: true,
      };
    }
  }
}
