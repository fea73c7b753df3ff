/** What OCSP says of a certificate, and for how long (RFC 6960 §2.2, §2.4); the same for what is signed in advance and live. */
import type { CertificateStatusRecord } from '../store/certificate-status.ts';
import type { CertificateStatus } from '../x509/ocsp-response-data.ts';

/** A status as OCSP says it; a hold is a revocation with the reason certificateHold (RFC 6960 §2.2). */
export function certificateStatus({ revocation }: Pick<CertificateStatusRecord, 'revocation'>): CertificateStatus {
  if (revocation === undefined) return { kind: 'good' };
  return { kind: 'revoked', at: new Date(revocation.revokedAt), reason: revocation.reason };
}

/** thisUpdate and nextUpdate of a response that is signed now: whole seconds, and never beyond the responder's end. */
export function responseValidity(
  now: number,
  validityMs: number,
  responderEndsAt: number,
): { readonly thisUpdate: number; readonly nextUpdate: number } {
  const thisUpdate = wholeSeconds(now);
  return { thisUpdate, nextUpdate: wholeSeconds(Math.min(thisUpdate + validityMs, responderEndsAt)) };
}

function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}
