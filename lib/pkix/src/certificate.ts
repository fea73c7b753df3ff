// X.509 certificates (RFC 5280 §4.1) as values. Reading checks structure and bounds; whether a certificate is trusted,
// current or well made is for certification-path.ts and for the keep, never decided here.
import { createHash } from 'node:crypto';
import {
  DerCursor,
  DerError,
  open,
  readBitString,
  readInteger,
  readSmallInteger,
  readTime,
  tags,
} from './der/reader.ts';
import { PkixError } from './errors.ts';
import { type Extension, findExtension, readExtensions } from './extensions.ts';
import { type GeneralName, readGeneralNames } from './general-names.ts';
import { type Name, NameError, readName } from './names.ts';
import { extensionIds } from './object-identifiers.ts';
import {
  type AlgorithmIdentifier,
  areAlgorithmIdentifiersEqual,
  readAlgorithmIdentifier,
} from './signature-algorithms.ts';

/** Largest certificate that is read, in octets. */
export const maximumCertificateOctets = 65536;

/** A certificate whose structure is right. `tbs` is what was signed. All bytes are views of `der`. */
export type Certificate = {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Contents octets in lower-case hexadecimal, without the zero octet that keeps the number positive. */
  readonly serialNumber: string;
  readonly issuer: Name;
  readonly issuerDer: Uint8Array;
  readonly subject: Name;
  readonly subjectDer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
};

/** Bytes that are no certificate, or one with names nobody can read. */
export class CertificateError extends PkixError {
  readonly code = 'malformed';
}

function within<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof NameError || cause instanceof DerError) {
      throw new CertificateError(`${field}: ${cause.detail}`, { cause });
    }
    throw cause;
  }
}

/** Reads a certificate of at most {@link maximumCertificateOctets} octets; the signature is not verified. @throws CertificateError */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > maximumCertificateOctets) {
    throw new CertificateError(`certificate: ${der.length} octets where ${maximumCertificateOctets} are allowed`);
  }
  return within('certificate', () => read(der));
}

function read(der: Uint8Array): Certificate {
  const outer = open(der, tags.sequence);
  const tbsElement = outer.read(tags.sequence);
  const signatureAlgorithm = readAlgorithmIdentifier(outer);
  const signatureBits = readBitString(outer.read(tags.bitString));
  outer.expectEnd();
  if (signatureBits.unusedBits !== 0) throw new CertificateError('signature: does not fill its last octet');

  const fields = new DerCursor(tbsElement.contents, 2);
  const version = readVersion(fields.enterOptional(0xa0));
  const serialNumber = readSerialNumber(readInteger(fields.read(tags.integer)));
  // RFC 5280 §4.1.1.2: both places hold the same identifier; only one of them is signed.
  if (!areAlgorithmIdentifiersEqual(readAlgorithmIdentifier(fields), signatureAlgorithm)) {
    throw new CertificateError('signatureAlgorithm: not the one that was signed');
  }
  const issuerElement = fields.read(tags.sequence);
  const validity = fields.enter(tags.sequence);
  const subjectElement = fields.read(tags.sequence);
  const subjectPublicKeyInfo = fields.read(tags.sequence).raw;
  // RFC 5280 §4.1.2.8: issuerUniqueID and subjectUniqueID, which nobody uses.
  fields.readOptional(0x81);
  fields.readOptional(0x82);
  const extensionsField = fields.enterOptional(0xa3);
  fields.expectEnd();
  const extensions = extensionsField === undefined ? [] : readExtensions(extensionsField.read(tags.sequence));
  extensionsField?.expectEnd();
  if (extensions.length > 0 && version !== 3)
    throw new CertificateError(`extensions: in a certificate of version ${version}`);
  const notBefore = readTime(validity.read());
  const notAfter = readTime(validity.read());
  validity.expectEnd();
  return {
    der,
    tbs: tbsElement.raw,
    version,
    serialNumber,
    issuer: within('issuer', () => readName(issuerElement)),
    issuerDer: issuerElement.raw,
    subject: within('subject', () => readName(subjectElement)),
    subjectDer: subjectElement.raw,
    notBefore,
    notAfter,
    subjectPublicKeyInfo,
    extensions,
    signatureAlgorithm,
    signature: signatureBits.bytes,
  };
}

function readVersion(field: DerCursor | undefined): number {
  if (field === undefined) return 1;
  const version = readSmallInteger(field.read(tags.integer)) + 1;
  field.expectEnd();
  if (version < 1 || version > 3) throw new CertificateError(`version: ${version} is unknown`);
  return version;
}

function readSerialNumber(contents: Uint8Array): string {
  const magnitude = contents.length > 1 && contents[0] === 0 ? contents.subarray(1) : contents;
  return Buffer.from(magnitude.buffer, magnitude.byteOffset, magnitude.length).toString('hex');
}

/** The extension with this id, or undefined. */
export function extensionOf(certificate: Certificate, id: string): Extension | undefined {
  return findExtension(certificate.extensions, id);
}

/** The subject alternative names, or none. @throws CertificateError naming the first bad one */
export function subjectAlternativeNames(certificate: Certificate): GeneralName[] {
  const extension = extensionOf(certificate, extensionIds.subjectAlternativeName);
  if (extension === undefined) return [];
  return within('subjectAltName', () => readGeneralNames(extension.value));
}

/** SHA-256 of the whole certificate. */
export function certificateFingerprint(certificate: Certificate | Uint8Array): Uint8Array {
  const der = certificate instanceof Uint8Array ? certificate : certificate.der;
  return createHash('sha256').update(der).digest();
}
