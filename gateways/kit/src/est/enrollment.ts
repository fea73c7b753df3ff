// From a request of EST to the enrollment that the keep is asked for. What crosses the bridge: the profile of the label,
// the CSR as it came, the requester, the certificate being renewed, and evidence. A gate never edits a CSR.

import {
  type CertificationRequest,
  CertificationRequestError,
  readCertificationRequest,
} from '@gatehouse/pkix/certification-request';
import type { NameAssignment } from '@gatehouse/ra-client/enrollment';
import { idempotencyKey } from '../idempotency.ts';
import type { KeylessEnrollment } from './enroll-once.ts';
import { EstError } from './error.ts';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';

/** Largest CSR, DER octets: enough for ML-DSA-87. */
export const maximumRequestOctets = 16_384;

/** Reads a CSR, DER. @throws {EstError} `malformed` naming what is wrong, `too-large` */
export function readRequest(der: Uint8Array): CertificationRequest {
  if (der.length > maximumRequestOctets) {
    throw new EstError('too-large', `the request is longer than ${maximumRequestOctets} octets`);
  }
  return readPart(() => readCertificationRequest(der));
}

/** Reads something of a CSR that is only looked at on the way. @throws {EstError} `malformed` naming what is wrong */
export function readPart<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
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
  { label }: EnrollmentExchange,
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
  { protocol }: Pick<EnrollmentGate, 'protocol'>,
  { label, operation }: EnrollmentExchange,
  identity: Identity,
  certificationRequest: Uint8Array,
  renews: Uint8Array = new Uint8Array(0),
): string {
  return idempotencyKey([protocol, label.name, operation, ...identity.key, renews, certificationRequest]);
}
