// SignerInfo (RFC 5652 §5.3): who signed, how, and with which attributes. Reading judges nothing; signed-data.ts verifies.
import {
  DerCursor,
  readInteger,
  readObjectIdentifier,
  readOctetString,
  readSmallInteger,
  tags,
} from '../der/reader.ts';
import { implicitConstructed, integer, objectIdentifier, octetString, sequence, wrap } from '../der/writer.ts';
import { type Name, readName } from '../names.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { type CmsAttribute, readAttributes } from './content-info.ts';
import { CmsError } from './error.ts';

/** How a signer or recipient is named (RFC 5652 §5.3); `serialNumber` as in Certificate: lower-case hexadecimal. */
export type CertificateIdentifier =
  | {
      readonly kind: 'issuer-and-serial-number';
      readonly issuer: Name;
      readonly issuerDer: Uint8Array;
      readonly serialNumber: string;
    }
  | { readonly kind: 'subject-key-identifier'; readonly keyIdentifier: Uint8Array };

/** One signer. `signedAttributesDer` is what was signed: the attributes with the tag of SET OF (RFC 5652 §5.4). */
export type SignerInfo = {
  readonly identifier: CertificateIdentifier;
  readonly digestAlgorithm: AlgorithmIdentifier;
  readonly signedAttributes: readonly CmsAttribute[] | undefined;
  readonly signedAttributesDer: Uint8Array | undefined;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly unsignedAttributes: readonly CmsAttribute[];
};

/** Reads one SignerInfo. @throws DerError, NameError, CmsError */
export function readSignerInfo(cursor: DerCursor): SignerInfo {
  const fields = cursor.enter(tags.sequence);
  const version = readSmallInteger(fields.read(tags.integer));
  const identifier = readCertificateIdentifier(fields);
  // RFC 5652 §5.3: 1 with issuer and serial number, 3 with a key identifier.
  if (version !== 1 && version !== 3) throw new CmsError(`signer: version ${version} is unknown`);
  const digestAlgorithm = readAlgorithmIdentifier(fields);
  const signedElement = fields.readOptional(0xa0);
  const signatureAlgorithm = readAlgorithmIdentifier(fields);
  const signature = readOctetString(fields.read(tags.octetString));
  const unsignedCursor = fields.enterOptional(0xa1);
  fields.expectEnd();
  const signed = signedElement && { contents: signedElement.contents, der: wrap(tags.set, signedElement.contents) };
  return {
    identifier,
    digestAlgorithm,
    signedAttributes: signed && readAttributes(new DerCursor(signed.contents, 4)),
    signedAttributesDer: signed?.der,
    signatureAlgorithm,
    signature,
    unsignedAttributes: unsignedCursor === undefined ? [] : readAttributes(unsignedCursor),
  };
}

/** Reads a SignerIdentifier, or the RecipientIdentifier of a key transport recipient (RFC 5652 §5.3, §6.2.1). */
export function readCertificateIdentifier(fields: DerCursor): CertificateIdentifier {
  const keyIdentifier = fields.readOptional(0x80);
  if (keyIdentifier !== undefined) return { kind: 'subject-key-identifier', keyIdentifier: keyIdentifier.contents };
  const parts = fields.enter(tags.sequence);
  const issuer = parts.read(tags.sequence);
  const serial = readInteger(parts.read(tags.integer));
  parts.expectEnd();
  const magnitude = serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial;
  const serialNumber = Buffer.from(magnitude).toString('hex');
  return { kind: 'issuer-and-serial-number', issuer: readName(issuer), issuerDer: issuer.raw, serialNumber };
}

/** Writes a SignerIdentifier or RecipientIdentifier. */
export function writeCertificateIdentifier(identifier: CertificateIdentifier): Uint8Array {
  if (identifier.kind === 'subject-key-identifier') return wrap(0x80, identifier.keyIdentifier);
  return sequence(identifier.issuerDer, integer(Buffer.from(identifier.serialNumber, 'hex')));
}

/** Parts of a SignerInfo to write; all values are DER except the signature. */
export type SignerInfoParts = {
  readonly identifier: CertificateIdentifier;
  /** Dotted object identifier; parameters are left out (RFC 5754 §2). */
  readonly digestAlgorithm: string;
  readonly signedAttributesDer: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
};

/** Writes a SignerInfo. */
export function writeSignerInfo(parts: SignerInfoParts): Uint8Array {
  return sequence(
    integer(parts.identifier.kind === 'subject-key-identifier' ? 3 : 1),
    writeCertificateIdentifier(parts.identifier),
    sequence(objectIdentifier(parts.digestAlgorithm)),
    implicitConstructed(0, parts.signedAttributesDer),
    parts.signatureAlgorithm,
    octetString(parts.signature),
  );
}

/** The object identifier in an attribute value such as contentType. @throws DerError */
export function readObjectIdentifierValue(value: Uint8Array): string {
  const cursor = new DerCursor(value);
  const type = readObjectIdentifier(cursor.read(tags.objectIdentifier));
  cursor.expectEnd();
  return type;
}

/** The octets in an attribute value such as messageDigest or a nonce. @throws DerError */
export function readOctetStringValue(value: Uint8Array): Uint8Array {
  const cursor = new DerCursor(value);
  const octets = readOctetString(cursor.read(tags.octetString));
  cursor.expectEnd();
  return octets;
}
