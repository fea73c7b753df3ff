/**
 * What a wish to revoke, hold or release comes to: which reasons there are, and what is written for one certificate. One
 * certificate and a thousand go through the same lines.
 */
import { CoreError } from '@gatehouse/proto/core-error';
import { RevocationReason } from '@gatehouse/proto/types';
import { blockKey } from '../store/blocked-keys.ts';
import type { StoredCertificate } from '../store/certificates.ts';
import { holdCertificate, releaseCertificate, revokeCertificate } from '../store/revocations.ts';
import type { WriteOperation } from '../store/write-set.ts';

/** What is to become of a certificate, and why. */
export type StatusChange = {
  /** `removeFromCRL` releases, `certificateHold` holds, all others revoke for good. */
  readonly reason: RevocationReason;
  readonly invalidityDate?: Date | undefined;
  /** URI of the caller that asked. */
  readonly actor: string;
};

/** RFC 5280 §5.3.1; 7 is not used. */
const reasons: ReadonlySet<RevocationReason> = new Set(
  Object.values(RevocationReason).filter((reason) => reason !== RevocationReason.UNRECOGNIZED),
);

/** Refuses reasons that do not exist and times that cannot be. Throws CoreError `malformed`. */
export function checkStatusChange({ reason, invalidityDate }: Omit<StatusChange, 'actor'>, now: Date): void {
  if (!reasons.has(reason)) throw new CoreError('malformed', `${reason} is not a reason of RFC 5280 §5.3.1`);
  // Written so that a date that is none is refused, too.
  if (invalidityDate !== undefined && !(invalidityDate <= now)) {
    throw new CoreError('malformed', 'the invalidity date lies in the future');
  }
  // A GeneralizedTime has no years before 0: one entry that cannot be encoded would let no CRL be made any more.
  if (invalidityDate !== undefined && invalidityDate.getTime() < 0) {
    throw new CoreError('malformed', 'the invalidity date lies before 1970');
  }
}

/**
 * What is written when the status of a certificate changes. The set that holds it fails with CoreError
 * `already-revoked`, or `conflict` when there is no hold to release.
 */
export function statusChangeOperations(
  certificate: Pick<StoredCertificate, 'serialNumber' | 'keyFingerprint'>,
  { reason, invalidityDate, actor }: StatusChange,
  now: Date,
): readonly WriteOperation[] {
  const { serialNumber, keyFingerprint } = certificate;
  const revocation = { serialNumber, reason, revokedAt: now, invalidityDate, actor };
  switch (reason) {
    case RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL:
      return releaseCertificate(serialNumber, now);
    case RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD:
      return holdCertificate(revocation);
    case RevocationReason.REVOCATION_REASON_KEY_COMPROMISE:
      return [
        ...revokeCertificate(revocation),
        blockKey({
          fingerprint: keyFingerprint,
          reason: `compromised: certificate ${serialNumber}`,
          blockedAt: now,
        }),
      ];
    default:
      return revokeCertificate(revocation);
  }
}
