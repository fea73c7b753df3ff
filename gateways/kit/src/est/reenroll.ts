// simplereenroll, RFC 7030 §4.2.2: a certificate is renewed by its holder, with the same or a new key and the same
// names, unless the profile lets the holder change them. The renewed certificate goes to the keep, which judges it again.

import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { type CertificationRequest, requestedNames } from '@gatehouse/pkix/certification-request';
import { areGeneralNameSetsEqual } from '@gatehouse/pkix/general-names';
import { areNamesEqual, attributeValues, formatName } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { type CertificateRecord, CertificateState, type Profile } from '@gatehouse/ra-client/client';
import type { EnrollmentOutcome, NameAssignment } from '@gatehouse/ra-client/enrollment';
import { isProfileOf } from './certificate-rights.ts';
import { type ChangeSubjectName, readChangeSubjectName } from './change-subject-name.ts';
import { checkBinding, enrollCounted, refuseNames } from './enroll.ts';
import { baseKey, readPart, toEnrollment } from './enrollment.ts';
import { EstError } from './error.ts';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';
import type { RequestedNames } from './name-policy.ts';
import { judgedNames, takenNames, withCommonName } from './requested-names.ts';

/** How many certificates of a name are looked through for the one being renewed. */
const searchLimit = 50;

/** Renews a certificate by a CSR with its names. @throws {EstError | CoreError} */
export async function simpleReenroll(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<EnrollmentOutcome> {
  checkBinding(exchange, identity, request);
  const profile = await gate.profiles.get(exchange.label.profile);
  const requested = takenNames(
    profile,
    request.subject,
    readPart(() => requestedNames(request)),
  );
  const renewed = await renewedCertificate(gate, exchange, identity, profile, requested);
  refuseOtherNames(profile, requested, renewed);

  const change = readChangeSubjectName(request);
  if (change !== undefined) refuseChange(exchange, identity, profile, change);
  // The names it has are its own; whoever renews for another is held to what it may enrol.
  else if (!isSelf(identity)) refuseNames(identity, exchange, requested);

  return await enrollCounted(gate, exchange, identity, {
    enrollment: toEnrollment(exchange, identity, request.der, {
      renews: renewed.der,
      ...(change === undefined ? {} : { names: toAssignment(change) }),
    }),
    key: baseKey(gate, exchange, identity, request.der, renewed.der),
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
  });
}

function isSelf(identity: Identity): boolean {
  return identity.client?.kind === 'own' && !identity.isRegistrationAuthority;
}

/** The certificate being renewed: the client's own, or, for an RA or a user, the newest with the names of the CSR. */
async function renewedCertificate(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  profile: Profile,
  requested: RequestedNames,
): Promise<Certificate> {
  const { client, isRegistrationAuthority } = identity;
  if (client?.kind === 'own' && !isRegistrationAuthority) {
    if (isProfileOf(exchange.label, client.record.profile)) return client.certificate;
    throw new EstError('not-allowed', `certificates of profile ${client.record.profile} are not renewed here`);
  }
  const name = searchName(requested);
  if (name !== undefined) {
    const conditions = {
      name,
      state: CertificateState.CERTIFICATE_STATE_VALID,
      // A user renews what it enrolled; an RA what its name patterns cover.
      ...(isRegistrationAuthority ? {} : { requesterId: identity.requester.id }),
      limit: searchLimit,
    };
    for await (const record of gate.core.findCertificates(conditions, { requestId: exchange.requestId })) {
      const certificate = readCertificate(record.certificate);
      if (isRenewable(exchange, record) && hasNames(profile, requested, certificate)) return certificate;
    }
  }
  throw new EstError(
    'not-allowed',
    'there is no certificate with these names that you could renew; show it in the handshake',
  );
}

function isRenewable({ label }: EnrollmentExchange, record: CertificateRecord): boolean {
  return isProfileOf(label, record.profile);
}

function searchName({ subject, names }: RequestedNames): string | undefined {
  for (const name of names) {
    if (name.kind === 'dns' || name.kind === 'ip' || name.kind === 'uri' || name.kind === 'email') return name.value;
  }
  return attributeValues(subject, attributeTypes.CN)[0];
}

// RFC 7030 §4.2.2: subject and subjectAltName are identical to those of the certificate; compared decoded, by the rules of
// RFC 5280 §7.1, since another string type is not another name.
function refuseOtherNames(profile: Profile, requested: RequestedNames, certificate: Certificate): void {
  if (!hasSubject(profile, requested, certificate)) {
    throw new EstError(
      'wrong-name',
      `subject: differs from '${formatName(certificate.subject)}' of the certificate being renewed`,
    );
  }
  if (!hasAlternativeNames(requested, certificate)) {
    throw new EstError('wrong-name', 'subjectAltName: differs from that of the certificate being renewed');
  }
}

/** Whether these names are those of the certificate, as far as the profile takes them from a request. */
export function hasNames(profile: Profile, requested: RequestedNames, certificate: Certificate): boolean {
  return hasSubject(profile, requested, certificate) && hasAlternativeNames(requested, certificate);
}

// What the profile drops or dictates does not count on either side.
function hasSubject(profile: Profile, { subject }: RequestedNames, certificate: Certificate): boolean {
  return areNamesEqual(subject, takenNames(profile, certificate.subject, []).subject);
}

function hasAlternativeNames(requested: RequestedNames, certificate: Certificate): boolean {
  const held = subjectAlternativeNames(certificate);
  return areGeneralNameSetsEqual(requested.names, held) || areGeneralNameSetsEqual(withCommonName(requested), held);
}

/** @throws {EstError} `not-allowed` when the profile or the asker's policy does not let the names change */
export function refuseChange(
  exchange: EnrollmentExchange,
  identity: Identity,
  profile: Profile,
  change: ChangeSubjectName,
): void {
  if (!profile.allowsNameChange) {
    throw new EstError('not-allowed', `changeSubjectName: profile ${profile.name} does not let names change`);
  }
  refuseNames(identity, exchange, judgedNames(profile, change.subject ?? [], change.names ?? []));
}

/** The new names as the keep is told them. */
export function toAssignment({ subject, names }: ChangeSubjectName): NameAssignment {
  return {
    ...(subject === undefined ? {} : { subject: formatName(subject) }),
    ...(names === undefined ? {} : { subjectAlternativeNames: names, replacesRequested: true }),
  };
}
