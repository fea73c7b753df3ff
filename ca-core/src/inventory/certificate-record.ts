/** A stored certificate as the contract shows it. */
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { type GeneralName, writeGeneralName } from '@gatehouse/pkix/general-names';
import {
  type CertificateRecord,
  CertificateState,
  type GeneralName as GeneralNameMessage,
  RevocationReason,
} from '@gatehouse/proto/types';
import { type CertificateStanding, type StoredCertificate, standingOf } from '../store/certificates.ts';

/** The contract's word for each standing. */
export const certificateStates: Readonly<Record<CertificateStanding, CertificateState>> = {
  valid: CertificateState.CERTIFICATE_STATE_VALID,
  revoked: CertificateState.CERTIFICATE_STATE_REVOKED,
  held: CertificateState.CERTIFICATE_STATE_HELD,
  expired: CertificateState.CERTIFICATE_STATE_EXPIRED,
};

/** The record; `now` decides what has expired. */
export function certificateRecord(stored: StoredCertificate, now: Date): CertificateRecord {
  const { revocation } = stored;
  return {
    serialNumber: stored.serialNumber,
    certificate: Buffer.from(stored.certificate),
    authority: stored.authority,
    profile: stored.profile,
    registrationAuthority: stored.registrationAuthority,
    requester: stored.requester,
    subject: stored.subject,
    names: subjectAlternativeNames(readCertificate(stored.certificate)).map(generalNameMessage),
    notBefore: stored.notBefore,
    notAfter: stored.notAfter,
    issuedAt: stored.issuedAt,
    state: certificateStates[standingOf(stored, now)],
    revocation:
      revocation === undefined
        ? undefined
        : {
            revokedAt: revocation.revokedAt,
            reason: revocationReason(revocation.reason),
            invalidityDate: revocation.invalidityDate,
            actor: revocation.actor,
          },
    keyFingerprint: Buffer.from(stored.keyFingerprint),
    renews: stored.renews ?? '',
    requestId: stored.requestId,
  };
}

/** The reason with this CRLReason, RFC 5280 §5.3.1. */
export function revocationReason(code: number): RevocationReason {
  return Object.values(RevocationReason).find((reason) => reason === code) ?? RevocationReason.UNRECOGNIZED;
}

/** A name as the contract carries it. */
export function generalNameMessage(name: GeneralName): GeneralNameMessage {
  switch (name.kind) {
    case 'dns':
    case 'ip':
    case 'uri':
    case 'email':
      return { name: { $case: name.kind, value: name.value } };
    default:
      return { name: { $case: 'der', value: Buffer.from(writeGeneralName(name)) } };
  }
}
