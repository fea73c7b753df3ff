/** A certificate of the core's inventory, as it is printed: in words for people, as plain JSON for programs. */
import { certificateFingerprint, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { DerCursor } from '@gatehouse/pkix/der/reader';
import { readExtendedKeyUsage, readKeyUsage } from '@gatehouse/pkix/extensions';
import { formatGeneralName, readGeneralName } from '@gatehouse/pkix/general-names';
import { formatName } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { describePublicKey } from '@gatehouse/pkix/public-key';
import type { Requester as RequesterMessage } from '@gatehouse/proto/types';
import { CertificateState, type GeneralName, RequesterKind, RevocationReason } from '@gatehouse/proto/types';
import type { CertificateRecord } from '@gatehouse/ra-client/client';
import { keyPurposeName } from './key-purposes.ts';
import { formatFields, formatTime } from './output.ts';

/** `valid`, `revoked`, … */
export function stateName(state: CertificateState): string {
  return contractWord(CertificateState, 'CERTIFICATE_STATE_', state);
}

/** `key-compromise`, … */
export function reasonName(reason: RevocationReason): string {
  return contractWord(RevocationReason, 'REVOCATION_REASON_', reason);
}

/** `user:demo`. */
export function requesterName(requester: RequesterMessage | undefined): string {
  if (requester === undefined) return '-';
  return `${contractWord(RequesterKind, 'REQUESTER_KIND_', requester.kind)}:${requester.id}`;
}

/** `DNS:www.example.com`. */
export function nameText({ name }: GeneralName): string {
  switch (name?.$case) {
    case 'dns':
      return `DNS:${name.value}`;
    case 'ip':
      return `IP:${name.value}`;
    case 'uri':
      return `URI:${name.value}`;
    case 'email':
      return `email:${name.value}`;
    case 'der':
      return formatGeneralName(readGeneralName(new DerCursor(name.value).read()));
    case undefined:
      return '-';
  }
}

/** A certificate in PEM. */
export function pemOf({ certificate }: CertificateRecord): string {
  return encodePem('CERTIFICATE', certificate).trimEnd();
}

/** The shape of `--json`. */
export function describeCertificate(record: CertificateRecord): Readonly<Record<string, unknown>> {
  const { revocation, requester } = record;
  return {
    serialNumber: record.serialNumber,
    state: stateName(record.state),
    subject: record.subject,
    names: record.names.map(nameText),
    notBefore: record.notBefore,
    notAfter: record.notAfter,
    issuedAt: record.issuedAt,
    profile: record.profile,
    authority: record.authority,
    registrationAuthority: record.registrationAuthority,
    requester:
      requester === undefined
        ? undefined
        : {
            kind: contractWord(RequesterKind, 'REQUESTER_KIND_', requester.kind),
            id: requester.id,
            address: given(requester.address),
            display: given(requester.display),
          },
    revocation: revocation === undefined ? undefined : { ...revocation, reason: reasonName(revocation.reason) },
    keyFingerprint: record.keyFingerprint.toString('hex'),
    certificateFingerprint: fingerprintOf(record),
    renews: given(record.renews),
    requestId: given(record.requestId),
    pem: encodePem('CERTIFICATE', record.certificate),
  };
}

/** The fields for people. */
export function formatCertificate(record: CertificateRecord): string {
  const certificate = readCertificate(record.certificate);
  const usage = extensionOf(certificate, extensionIds.keyUsage);
  const purposes = extensionOf(certificate, extensionIds.extendedKeyUsage);
  const { revocation } = record;
  return formatFields([
    ['Serial number', record.serialNumber],
    ['State', stateName(record.state)],
    [
      'Revoked',
      revocation === undefined ? undefined : `${formatTime(revocation.revokedAt)} (${reasonName(revocation.reason)})`,
    ],
    ['Key lost', revocation?.invalidityDate === undefined ? undefined : formatTime(revocation.invalidityDate)],
    ['Subject', record.subject === '' ? '(empty)' : record.subject],
    ['Names', record.names.map(nameText).join(', ')],
    ['Issuer', formatName(certificate.issuer)],
    ['Valid from', formatTime(record.notBefore)],
    ['Valid until', formatTime(record.notAfter)],
    ['Key', formatKey(certificate.subjectPublicKeyInfo)],
    ['Key usage', usage === undefined ? undefined : readKeyUsage(usage.value).join(', ')],
    [
      'Extended key usage',
      purposes === undefined ? undefined : readExtendedKeyUsage(purposes.value).map(keyPurposeName).join(', '),
    ],
    ['Profile', record.profile],
    ['RA', record.registrationAuthority],
    ['Requester', requesterName(record.requester)],
    ['Requested from', record.requester?.address],
    ['Issued', formatTime(record.issuedAt)],
    ['Renews', record.renews],
    ['Enrollment', record.requestId],
    ['Key SHA-256', record.keyFingerprint.toString('hex')],
    ['Certificate SHA-256', fingerprintOf(record)],
  ]);
}

/** Hexadecimal SHA-256 of the certificate. */
export function fingerprintOf({ certificate }: CertificateRecord): string {
  return Buffer.from(certificateFingerprint(certificate)).toString('hex');
}

function formatKey(subjectPublicKeyInfo: Uint8Array): string {
  const key = describePublicKey(subjectPublicKeyInfo);
  switch (key.kind) {
    case 'ec':
      return key.curve;
    case 'rsa':
      return `RSA ${key.bits} bits`;
    case 'ed25519':
      return 'Ed25519';
    case 'ml-dsa':
      return key.parameterSet;
    case 'unsupported':
      return key.algorithm;
  }
}

/** The contract's name of a value, without the prefix of its enum, as people write it. */
export function contractWord(values: Readonly<Record<string, number>>, prefix: string, value: number): string {
  const name = Object.keys(values).find((key) => values[key] === value) ?? 'UNRECOGNIZED';
  return name.replace(prefix, '').toLowerCase().replaceAll('_', '-');
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
