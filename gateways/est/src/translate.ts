// From a request of EST to an enrollment, and from the keep's outcome back to an answer of EST. What crosses the bridge:
// the profile of the label, the CSR as it came, the requester, the certificate being renewed, and evidence.

import { idempotencyKey } from '@gatehouse/gateway-kit/idempotency';
import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { CertificationRequestError, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { decodeBody, encodeBody, TransferEncodingError } from '@gatehouse/pkix/transfer-encoding';
import type { EnrollmentOutcome, NameAssignment } from '@gatehouse/ra-client/enrollment';
import type { Identity } from './authenticate.ts';
import { EstError } from './errors.ts';
import type { EstAnswer, EstExchange } from './exchange.ts';
import type { KeylessEnrollment } from './idempotency.ts';

/** Largest CSR, DER octets: enough for ML-DSA-87. */
export const maximumRequestOctets = 16_384;

const pemLabels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/**
 * Reads the CSR in a body: base64 with or without line breaks, PEM or DER (RFC 8951 §3).
 *
 * @throws {EstError} `malformed` naming what is wrong, `too-large`
 */
export function readRequestBody(body: Uint8Array): CertificationRequest {
  try {
    return readCertificationRequest(decodeBody(body, { pemLabels, maximumDer: maximumRequestOctets }));
  } catch (error) {
    if (error instanceof TransferEncodingError) throw new EstError(error.code, error.detail, { cause: error });
    if (error instanceof CertificationRequestError) throw new EstError('malformed', error.detail, { cause: error });
    throw error;
  }
}

/** What a renewal adds to an enrollment. */
export type Renewal = {
  /** The certificate being renewed, DER. */
  readonly renews: Uint8Array;
  /** New names that the profile lets the client change to. */
  readonly names?: NameAssignment | undefined;
};

/** The enrollment that an exchange asks for, without its key. */
export function toEnrollment(
  { label }: EstExchange,
  identity: Identity,
  certificationRequest: Uint8Array,
  renewal?: Renewal,
): KeylessEnrollment {
  return {
    profile: label.profile,
    subjectKey: { kind: 'certification-request', der: certificationRequest },
    requester: identity.requester,
    evidence: identity.evidence,
    ...(renewal === undefined ? {} : { renews: renewal.renews }),
    ...(renewal?.names === undefined ? {} : { names: renewal.names, changesNames: true }),
  };
}

/** Key of everything that makes two requests the same, and of no time. */
export function baseKey(
  { label, operation }: EstExchange,
  identity: Identity,
  certificationRequest: Uint8Array,
  renews: Uint8Array = new Uint8Array(0),
): string {
  return idempotencyKey(['est', label.name, operation, ...identity.key, renews, certificationRequest]);
}

/** The answer to an enrollment that was not refused: the certificate alone (RFC 7030 §4.2.3), or 202. */
export function answerOutcome(outcome: EnrollmentOutcome): EstAnswer {
  if (outcome.kind === 'pending') return answerPending(outcome.retryAfterSeconds);
  return {
    status: 200,
    contentType: 'application/pkcs7-mime; smime-type=certs-only',
    body: encodeBody(certificatesOnly([outcome.certificate])),
    outcome: outcome.isRepeated ? 'issued before' : 'issued',
  };
}

/** RFC 7030 §4.2.3: 202 with Retry-After, in seconds. */
export function answerPending(retryAfterSeconds: number): EstAnswer {
  return {
    status: 202,
    contentType: 'text/plain; charset=utf-8',
    body: 'the request waits for approval\n',
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) },
    outcome: 'pending',
  };
}
