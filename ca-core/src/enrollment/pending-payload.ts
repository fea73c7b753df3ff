/** What is kept of an enrollment that waits for a person, to be judged again when one has decided. */
import { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import type { Evidence } from '@gatehouse/proto/types';
import type { ValidationOutcome } from '../evidence/verify-validation.ts';

const validations: ReadonlySet<string> = new Set(['acme-finalize', 'perspective-results']);

/** EnrollRequest in protobuf. Statements that decided nothing would only fill the database, and are left out. */
export function pendingPayload(request: EnrollRequest, validated: ValidationOutcome): Uint8Array {
  if (validated.verdict === undefined) return EnrollRequest.encode(request).finish();
  const others = request.evidence.filter(({ type }) => !validations.has(type));
  return EnrollRequest.encode({ ...request, evidence: [...others, ...validated.evidence] }).finish();
}

/** The statements of perspectives among evidence, as text that compares. */
export function statementTexts(evidence: readonly Evidence[]): ReadonlySet<string> {
  return new Set(
    evidence.flatMap(({ statements }) => statements.map((octets) => Buffer.from(octets).toString('latin1'))),
  );
}
