/** Domain values as messages of the contract. */
import type { EnrollResponse } from '@gatehouse/proto/certificate-authority';
import type { EnrollmentAnswer } from '../enrollment/answer.ts';

/** An enrollment's answer. */
export function enrollResponse(answer: EnrollmentAnswer): EnrollResponse {
  const { requestId, isRepeated } = answer;
  if (answer.kind === 'pending') {
    return {
      requestId,
      isRepeated,
      outcome: { $case: 'pending', value: { retryAfterSeconds: answer.retryAfterSeconds } },
    };
  }
  const { certificate, chain, serialNumber, notBefore, notAfter } = answer;
  const value = { certificate: asBuffer(certificate), chain: chain.map(asBuffer), serialNumber, notBefore, notAfter };
  return { requestId, isRepeated, outcome: { $case: 'issued', value } };
}

/** Octets as the generated code wants them; never copies. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
