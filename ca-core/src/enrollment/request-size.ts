/**
 * Bounds of what an enrollment may carry, before anything of it is read: statements of perspectives may be many, so messages
 * may be large, and nothing else may use that room.
 */
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { maximumStatements } from '../evidence/presented-evidence.ts';

/** A request of 16 KiB with evidence of eight certificates and a finalize request fits. */
const largestRest = 256 * 1024;

/** Throws CoreError `malformed` for an enrollment that is larger than any protocol's. */
export function refuseOversized(request: EnrollRequest): void {
  let rest = request.renews.length + request.profile.length + request.idempotencyKey.length + keyLength(request);
  const { requester, names } = request;
  if (requester !== undefined) rest += requester.id.length + requester.address.length + requester.display.length;
  rest += names?.subject?.length ?? 0;
  for (const { name } of names?.subjectAlternativeNames ?? []) rest += name?.value.length ?? 0;
  for (const { type, payload, certificates, statements } of request.evidence) {
    if (statements.length > maximumStatements) {
      throw new CoreError('malformed', `more than ${maximumStatements} statements`);
    }
    rest += type.length + payload.length;
    for (const certificate of certificates) rest += certificate.length;
  }
  if (rest > largestRest) throw new CoreError('malformed', `more than ${largestRest} octets beside statements`);
}

function keyLength({ subjectKey }: EnrollRequest): number {
  return subjectKey?.$case === 'publicKey'
    ? subjectKey.value.subjectPublicKeyInfo.length + subjectKey.value.proofOfPossession.length
    : (subjectKey?.value.length ?? 0);
}
