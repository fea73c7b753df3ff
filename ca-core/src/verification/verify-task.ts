/** One verification, on whichever thread it is asked for. */
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { checkIssuedSync, type IssuedFacts } from '../x509/certificate.ts';
import type { Task } from './batch.ts';

/** Why it fails, or undefined when it holds. `issuers` are those that tasks name by number. */
export function verifyTask(task: Task, issuers: readonly IssuedFacts['issuer'][]): string | undefined {
  try {
    if (task.kind === 'request') {
      const request = readCertificationRequest(task.certificationRequest);
      const verification = verifySignature({
        algorithm: request.signatureAlgorithm,
        spki: request.subjectPublicKeyInfo,
        data: request.info,
        signature: request.signature,
      });
      return verification.ok ? undefined : verification.reason;
    }
    const issuer = issuers[task.issuer];
    if (issuer === undefined) return 'its issuer is not known';
    checkIssuedSync({ certificate: task.certificate, tbs: task.tbs, issuer });
    return undefined;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
