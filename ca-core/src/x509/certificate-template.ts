// Writes TBSCertificates (RFC 5280 §4.1) fast: what all certificates of one profile share is encoded once, what differs is
// spliced in. Nothing gets into a certificate that is neither in the facts nor in the contents; the writer decides only
// what RFC 5280 decides: encodings, criticality, key identifiers, and that no extension stands twice.
import { hash } from 'node:crypto';
import { DerCursor, readBitString, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { concat, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import {
  authorityInformationAccess,
  authorityKeyIdentifier,
  basicConstraints,
  certificatePolicies,
  crlDistributionPoints,
  type Extension,
  extendedKeyUsage,
  type KeyUsage,
  keyUsage,
  noRevocationAvailable,
  writeExtension,
} from '@gatehouse/pkix/extensions';
import { type GeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { type Name, writeName } from '@gatehouse/pkix/names';
import { algorithms, extensionIds } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import { keyIdentifierOf, type TemplateIssuer } from './key-identifier.ts';
import { type KeyKind, keyUsageFor } from './key-usage.ts';

/** What all certificates of one profile under one authority share. */
export type TemplateFacts = {
  readonly issuer: TemplateIssuer;
  /** AlgorithmIdentifier of the issuer's signer, DER. */
  readonly signatureAlgorithm: Uint8Array;
  /** Bits for keys of every kind, as far as the kind can have them; empty with `rsaKeyUsage` empty: no extension. */
  readonly keyUsage: readonly KeyUsage[];
  /** Bits that are added for RSA keys. */
  readonly rsaKeyUsage: readonly KeyUsage[];
  /** Key purposes, dotted; empty: no extension. */
  readonly extendedKeyUsage: readonly string[];
  /** `pathLength` only for a CA. */
  readonly basicConstraints: { readonly isCa: boolean; readonly pathLength?: number | undefined };
  /** Policy identifiers, dotted; empty: no extension. */
  readonly policies: readonly string[];
  /** Absolute URLs; both empty: no extension. */
  readonly authorityInformationAccess: { readonly ocsp: readonly string[]; readonly caIssuers: readonly string[] };
  /** Absolute URLs; empty: no extension, unless the contents bring their own. */
  readonly crlDistributionPoints: readonly string[];
  /** RFC 9608: the certificates say that whether they were revoked is never published. */
  readonly isWithoutRevocation?: boolean | undefined;
};

/** What is particular to one certificate. */
export type CertificateContents = {
  /** Big-endian, positive, at most 20 octets. */
  readonly serialNumber: Uint8Array;
  /** Fractions of a second are cut. */
  readonly notBefore: Date;
  /** Belongs to the period (RFC 5280 §4.1.2.5); fractions of a second are cut. */
  readonly notAfter: Date;
  /** May be empty if `names` is not and the certificate is no CA's. */
  readonly subject: Name;
  /** DER, passed on octet for octet. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** subjectAltName; empty: no extension. */
  readonly names: readonly GeneralName[];
  /** Extensions that stand in no template, such as those copied from a request. */
  readonly extensions: readonly Extension[];
  /** The extension crlDistributionPoints, encoded; only where the facts give none. */
  readonly distributionPoint?: Uint8Array | undefined;
};

/** Facts, encoded. */
export type CertificateTemplate = {
  readonly isCa: boolean;
  /** Elements of the TBSCertificate between serialNumber and validity: signature and issuer. */
  readonly signatureAndIssuer: Uint8Array;
  /** Encoded extensions by kind of subject key; a kind that can do nothing of what the profile wants is missing. */
  readonly extensions: ReadonlyMap<KeyKind, Uint8Array>;
  /** Identifiers that contents must not bring again. */
  readonly ownExtensionIds: ReadonlySet<string>;
  /** Whether contents may bring a distribution point. */
  readonly takesDistributionPoint: boolean;
};

/** `[0] EXPLICIT INTEGER 2`: version 3. */
const version3 = explicit(0, integer(2));
/** SubjectKeyIdentifier up to its 20 octets: extension, identifier, OCTET STRING, KeyIdentifier. Not critical, §4.2.1.2. */
const subjectKeyIdentifierHead = Uint8Array.of(0x30, 0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14);
const keyKinds: readonly KeyKind[] = ['ec', 'rsa', 'ed25519', 'ml-dsa'];

const kindByAlgorithm = new Map<string, KeyKind>([
  [algorithms.ecPublicKey, 'ec'],
  [algorithms.rsaEncryption, 'rsa'],
  [algorithms.ed25519, 'ed25519'],
  [algorithms.mlDsa44, 'ml-dsa'],
  [algorithms.mlDsa65, 'ml-dsa'],
  [algorithms.mlDsa87, 'ml-dsa'],
]);

/**
 * Encodes what all certificates of one profile share.
 *
 * @example const template = createCertificateTemplate({ issuer: authority.certificate, signatureAlgorithm: authority.signer.signatureAlgorithm, ...profile });
 * @throws {RangeError} when the facts contradict each other or RFC 5280
 */
export function createCertificateTemplate(facts: TemplateFacts): CertificateTemplate {
  checkFacts(facts);
  const { isCa, pathLength } = facts.basicConstraints;
  const { ocsp, caIssuers } = facts.authorityInformationAccess;
  const common: Extension[] = [
    authorityKeyIdentifier(keyIdentifierOf(facts.issuer)),
    // An end entity gets it too, empty: there are clients that take its absence for a version 1 CA.
    basicConstraints(pathLength === undefined ? { ca: isCa } : { ca: isCa, pathLength }),
  ];
  if (facts.extendedKeyUsage.length > 0) common.push(extendedKeyUsage(facts.extendedKeyUsage));
  if (facts.policies.length > 0) common.push(certificatePolicies(facts.policies.map((id) => ({ id }))));
  if (ocsp.length + caIssuers.length > 0) common.push(authorityInformationAccess({ ocsp, caIssuers }));
  if (facts.crlDistributionPoints.length > 0) common.push(crlDistributionPoints(facts.crlDistributionPoints));
  if (facts.isWithoutRevocation === true) common.push(noRevocationAvailable());

  const extensions = new Map<KeyKind, Uint8Array>();
  for (const kind of keyKinds) {
    const usage = keyUsageFor(kind, facts);
    const isWithoutUsage = facts.keyUsage.length + facts.rsaKeyUsage.length === 0;
    if (isWithoutUsage) extensions.set(kind, concat(...common.map(writeExtension)));
    // RFC 5280 §4.2.1.3: at least one bit must be set, so a key that can do nothing wanted gets no certificate.
    else if (usage.length > 0) extensions.set(kind, concat(...[keyUsage(usage), ...common].map(writeExtension)));
  }
  return {
    isCa,
    signatureAndIssuer: concat(facts.signatureAlgorithm, facts.issuer.subjectDer),
    extensions,
    ownExtensionIds: new Set([
      extensionIds.keyUsage,
      extensionIds.subjectKeyIdentifier,
      extensionIds.subjectAlternativeName,
      ...common.map(({ id }) => id),
    ]),
    takesDistributionPoint: facts.crlDistributionPoints.length === 0 && facts.isWithoutRevocation !== true,
  };
}

function checkFacts({ basicConstraints: { isCa, pathLength }, ...facts }: TemplateFacts): void {
  // RFC 5280 §4.2.1.9: both only where cA is asserted.
  if (!isCa && pathLength !== undefined) throw new RangeError('a path length needs a CA certificate');
  const wantsCertSign = [...facts.keyUsage, ...facts.rsaKeyUsage].includes('keyCertSign');
  if (!isCa && wantsCertSign) throw new RangeError('keyCertSign needs a CA certificate');
  // RFC 5280 §4.2.1.3: conforming CAs include the bit in CA certificates.
  if (isCa && !facts.keyUsage.includes('keyCertSign')) throw new RangeError('a CA certificate needs keyCertSign');
  if (facts.isWithoutRevocation === true) checkWithoutRevocation(isCa, facts);
}

// RFC 9608 §3.
function checkWithoutRevocation(isCa: boolean, facts: Omit<TemplateFacts, 'basicConstraints'>): void {
  if (isCa) throw new RangeError('noRevAvail never stands in a CA certificate');
  if (facts.crlDistributionPoints.length + facts.authorityInformationAccess.ocsp.length > 0) {
    throw new RangeError('noRevAvail never stands beside a place where the status is found');
  }
}

/**
 * Writes the TBSCertificate.
 *
 * @returns DER, to be signed
 * @throws {CoreError} `bad-key` when the key is of a kind that the profile's key usage does not fit, `rejected-name` when
 *   there is neither subject nor name, `profile-refuses` when an extension would stand twice
 * @throws {RangeError} when the serial number or the validity is impossible
 */
export function writeTbsCertificate(template: CertificateTemplate, contents: CertificateContents): Uint8Array {
  checkContents(template, contents);
  const { kind, subjectPublicKey } = readSubjectKey(contents.subjectPublicKeyInfo);
  const constantExtensions = template.extensions.get(kind);
  if (constantExtensions === undefined) {
    throw new CoreError('bad-key', `a key of kind ${kind} cannot be used as this profile demands`);
  }
  // RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 of the subjectPublicKey.
  const keyIdentifier = hash('sha256', subjectPublicKey, 'buffer').subarray(0, 20);
  const extensions = [constantExtensions, subjectKeyIdentifierHead, keyIdentifier];
  if (contents.distributionPoint !== undefined) extensions.push(contents.distributionPoint);
  if (contents.names.length > 0) extensions.push(writeSubjectAlternativeName(contents));
  for (const extension of contents.extensions) extensions.push(writeExtension(extension));

  return sequence(
    version3,
    integer(contents.serialNumber),
    template.signatureAndIssuer,
    sequence(time(contents.notBefore), time(contents.notAfter)),
    writeName(contents.subject),
    contents.subjectPublicKeyInfo,
    explicit(3, sequence(...extensions)),
  );
}

function checkContents(template: CertificateTemplate, contents: CertificateContents): void {
  const { serialNumber, notBefore, notAfter, subject, names, extensions, distributionPoint } = contents;
  // RFC 5280 §4.1.2.2: positive, at most 20 octets, and one of them may be spent on the sign.
  if (serialNumber.length > 20 || (serialNumber.length === 20 && (serialNumber[0] ?? 0) > 0x7f)) {
    throw new RangeError('a serial number has at most 20 octets');
  }
  if (!serialNumber.some((octet) => octet !== 0)) throw new RangeError('a serial number is positive');
  if (!(notBefore.getTime() <= notAfter.getTime())) throw new RangeError('a certificate ends after it begins');
  // RFC 5280 §4.1.2.6.
  if (subject.length === 0 && template.isCa) throw new CoreError('rejected-name', 'a CA certificate needs a subject');
  if (subject.length === 0 && names.length === 0) {
    throw new CoreError('rejected-name', 'a certificate needs a subject or a subject alternative name');
  }
  // RFC 5280 §4.2: a certificate must not include more than one instance of an extension.
  if (distributionPoint !== undefined && !template.takesDistributionPoint) {
    throw new RangeError('the template says where the status is found, or that it is not');
  }
  if (extensions.length === 0) return;
  const seen = new Set(template.ownExtensionIds);
  if (distributionPoint !== undefined) seen.add(extensionIds.crlDistributionPoints);
  for (const { id } of extensions) {
    if (seen.has(id)) throw new CoreError('profile-refuses', `the extension ${id} is decided by the profile`);
    seen.add(id);
  }
}

// Only the algorithm's identifier and the BIT STRING are looked at: the pipeline has judged the key before.
function readSubjectKey(subjectPublicKeyInfo: Uint8Array): { kind: KeyKind; subjectPublicKey: Uint8Array } {
  const info = new DerCursor(subjectPublicKeyInfo).enter(tags.sequence);
  const algorithm = readObjectIdentifier(info.enter(tags.sequence).read(tags.objectIdentifier));
  const kind = kindByAlgorithm.get(algorithm);
  if (kind === undefined) throw new CoreError('bad-key', `keys with the algorithm ${algorithm} are not certified`);
  return { kind, subjectPublicKey: readBitString(info.read(tags.bitString)).bytes };
}

function writeSubjectAlternativeName({ subject, names }: CertificateContents): Uint8Array {
  return writeExtension({
    id: extensionIds.subjectAlternativeName,
    // RFC 5280 §4.2.1.6: critical if the subject is an empty sequence, else not.
    isCritical: subject.length === 0,
    value: writeGeneralNames(names),
  });
}
