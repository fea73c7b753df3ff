/**
 * The certificate that an enrollment renews: issued by this CA, octet for octet, through this RA or one that may use the
 * same profile, and still standing.
 */

import { type Certificate, CertificateError, readCertificate } from '@gatehouse/pkix/certificate';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import type { RegistrationAuthority } from '../registry/registry.ts';
import { findCertificate, hasRenewedSuccessor, type StoredCertificate } from '../store/certificates.ts';

/** A certificate of this CA that may be renewed. */
export type RenewedCertificate = {
  readonly serialNumber: string;
  readonly certificate: Certificate;
  readonly record: StoredCertificate;
};

/**
 * Reads and judges it; undefined when the enrollment is no renewal.
 * Throws CoreError `malformed`, `profile-refuses` or `out-of-scope`.
 */
export function readRenewedCertificate(
  keep: Keep,
  registrationAuthority: RegistrationAuthority,
  request: EnrollRequest,
): RenewedCertificate | undefined {
  if (request.renews.length === 0) return undefined;
  const certificate = parse(request.renews);
  const { serialNumber } = certificate;
  const record = findCertificate(keep.store, serialNumber);
  if (
    record === undefined ||
    Buffer.compare(record.certificate, request.renews) !== 0 ||
    record.authority !== 'issuing'
  ) {
    throw new CoreError('profile-refuses', 'the certificate to renew was not issued by this CA');
  }
  refuseForeign(registrationAuthority, record, request.changesNames);
  if (record.revocation !== undefined) {
    const state = record.revocation.state === 'held' ? 'on hold' : 'revoked';
    throw new CoreError('profile-refuses', `the certificate to renew is ${state}`);
  }
  // A client that lost the answer to its renewal may try again with the old certificate. Once the new one has been used
  // to renew in turn, its holder has it, and whoever shows the old one is somebody else or a mistake.
  if (hasRenewedSuccessor(keep.store, serialNumber)) {
    throw new CoreError('profile-refuses', 'the certificate to renew was superseded');
  }
  return { serialNumber, certificate, record };
}

/**
 * What another RA enrolled may be continued by one that could have enrolled it: by its profile, and under its names, which
 * are within the scope then. Any other renewal would let an RA supersede what it has nothing to do with.
 */
function refuseForeign(
  { name, profiles }: RegistrationAuthority,
  record: StoredCertificate,
  changesNames: boolean,
): void {
  if (record.registrationAuthority === name || (profiles.has(record.profile) && !changesNames)) return;
  throw new CoreError('out-of-scope', 'the certificate to renew was enrolled through another RA');
}

function parse(der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new CoreError('malformed', 'the certificate to renew cannot be read', { cause });
  }
}
