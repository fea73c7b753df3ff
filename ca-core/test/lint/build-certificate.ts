// Builds TBSCertificates field by field with the DER writer, so that each lint can be given exactly the encoding that it
// must find. What is not overridden is a TLS server certificate without any fault.
import { generateKeyPairSync } from 'node:crypto';
import { stringTags } from '@gatehouse/pkix/der/strings';
import {
  bitString,
  boolean,
  characterString,
  explicit,
  implicit,
  integer,
  namedBitList,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  wrap,
} from '@gatehouse/pkix/der/writer';
import {
  accessMethods,
  algorithms,
  attributeTypes,
  extensionIds,
  keyPurposes,
} from '@gatehouse/pkix/object-identifiers';

/** Fields of a TBSCertificate, each as its DER; `extensions` by identifier, in order. */
export type CertificateFields = {
  readonly version: Uint8Array | undefined;
  readonly serialNumber: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: Uint8Array;
  readonly notAfter: Uint8Array;
  readonly subject: Uint8Array;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly uniqueIdentifier: Uint8Array | undefined;
  readonly extensions: readonly Uint8Array[] | undefined;
};

/** AttributeTypeAndValue with a string of the given type. */
export function attribute(type: string, text: string, tag: number = stringTags.utf8String): Uint8Array {
  return sequence(objectIdentifier(type), characterString(tag, text));
}

/** Name with one attribute a RelativeDistinguishedName. */
export function name(...attributes: readonly Uint8Array[]): Uint8Array {
  return sequence(...attributes.map((one) => set(one)));
}

/** Extension; `critical` false with `encodesDefault` writes the default. */
export function extension(id: string, value: Uint8Array, critical = false, encodesDefault = false): Uint8Array {
  const flag = critical || encodesDefault ? [boolean(critical)] : [];
  return sequence(objectIdentifier(id), ...flag, octetString(value));
}

/** dNSName of any octets, right or wrong; the other kinds of GeneralName likewise. */
export const dns = (text: string | Uint8Array): Uint8Array => wrap(0x82, Buffer.from(text));
export const mail = (text: string): Uint8Array => wrap(0x81, Buffer.from(text));
export const uri = (text: string): Uint8Array => wrap(0x86, Buffer.from(text));
export const ip = (...octets: readonly number[]): Uint8Array => wrap(0x87, Uint8Array.from(octets));

/** AlgorithmIdentifier with parameters, if any. */
export const algorithmIdentifier = (oid: string, ...parameters: readonly Uint8Array[]): Uint8Array =>
  sequence(objectIdentifier(oid), ...parameters);

/** A time of any text, right or wrong. */
export const generalizedTimeOf = (text: string): Uint8Array => wrap(0x18, Buffer.from(text));
export const utcTimeOf = (text: string): Uint8Array => wrap(0x17, Buffer.from(text));

const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
const keyIdentifier = Buffer.alloc(20, 0x5a);

/** RSA SubjectPublicKeyInfo of any modulus and exponent. */
export function rsaKey(
  modulus: bigint,
  exponent = 65_537n,
  parameters: readonly Uint8Array[] = [wrap(0x05)],
): Uint8Array {
  const key = sequence(integer(modulus), integer(exponent));
  return sequence(algorithmIdentifier(algorithms.rsaEncryption, ...parameters), bitString(key));
}

/** Parts of extensions, as their fields come. */
export const location = (method: string, name: Uint8Array): Uint8Array => sequence(objectIdentifier(method), name);
export const distributionPoint = (...names: readonly Uint8Array[]): Uint8Array =>
  sequence(explicit(0, wrap(0xa0, ...names)));
export const keyUsageOf = (...bits: readonly number[]): Uint8Array => namedBitList(bits);
export const identifiers = (...oids: readonly string[]): Uint8Array => sequence(...oids.map(objectIdentifier));
export const policies = (...oids: readonly string[]): Uint8Array =>
  sequence(...oids.map((oid) => sequence(objectIdentifier(oid))));

type ExtensionTable = Readonly<Record<string, Uint8Array>>;

const goodExtensions: ExtensionTable = {
  [extensionIds.keyUsage]: extension(extensionIds.keyUsage, keyUsageOf(0), true),
  [extensionIds.authorityKeyIdentifier]: extension(
    extensionIds.authorityKeyIdentifier,
    sequence(implicit(0, octetString(keyIdentifier))),
  ),
  [extensionIds.basicConstraints]: extension(extensionIds.basicConstraints, sequence(), true),
  [extensionIds.extendedKeyUsage]: extension(extensionIds.extendedKeyUsage, identifiers(keyPurposes.serverAuth)),
  [extensionIds.certificatePolicies]: extension(extensionIds.certificatePolicies, policies('2.23.140.1.2.1')),
  [extensionIds.authorityInformationAccess]: extension(
    extensionIds.authorityInformationAccess,
    sequence(location(accessMethods.ocsp, uri('http://ocsp.gatehouse.dev/'))),
  ),
  [extensionIds.crlDistributionPoints]: extension(
    extensionIds.crlDistributionPoints,
    sequence(distributionPoint(uri('http://crl.gatehouse.dev/1.crl'))),
  ),
  [extensionIds.subjectKeyIdentifier]: extension(extensionIds.subjectKeyIdentifier, octetString(keyIdentifier)),
  [extensionIds.subjectAlternativeName]: extension(
    extensionIds.subjectAlternativeName,
    sequence(dns('www.gatehouse.dev'), dns('*.gatehouse.dev'), ip(9, 9, 9, 9)),
  ),
};

const caExtensions: ExtensionTable = {
  [extensionIds.keyUsage]: extension(extensionIds.keyUsage, keyUsageOf(5, 6), true),
  [extensionIds.authorityKeyIdentifier]: goodExtensions[extensionIds.authorityKeyIdentifier] ?? new Uint8Array(),
  [extensionIds.basicConstraints]: extension(extensionIds.basicConstraints, sequence(boolean(true), integer(0)), true),
  [extensionIds.subjectKeyIdentifier]: extension(extensionIds.subjectKeyIdentifier, octetString(keyIdentifier)),
};

const issuer = name(attribute(attributeTypes.O, 'Gatehouse'), attribute(attributeTypes.CN, 'Issuing CA'));

const goodFields: Omit<CertificateFields, 'extensions'> = {
  version: explicit(0, integer(2)),
  serialNumber: integer(Buffer.alloc(18, 0x5a)),
  signature: algorithmIdentifier(algorithms.ecdsaWithSHA256),
  issuer,
  notBefore: time(new Date('2026-11-01T00:00:00Z')),
  notAfter: time(new Date('2027-01-29T23:59:59Z')),
  subject: name(
    attribute(attributeTypes.C, 'DE', stringTags.printableString),
    attribute(attributeTypes.O, 'Gatehouse'),
  ),
  subjectPublicKeyInfo: ecKey,
  uniqueIdentifier: undefined,
};

function write(fields: CertificateFields): Uint8Array {
  return sequence(
    ...(fields.version === undefined ? [] : [fields.version]),
    fields.serialNumber,
    fields.signature,
    fields.issuer,
    sequence(fields.notBefore, fields.notAfter),
    fields.subject,
    fields.subjectPublicKeyInfo,
    ...(fields.uniqueIdentifier === undefined ? [] : [fields.uniqueIdentifier]),
    ...(fields.extensions === undefined ? [] : [explicit(3, sequence(...fields.extensions))]),
  );
}

/** TBSCertificate of a TLS server with some fields replaced. */
export function buildServer(fields: Partial<CertificateFields> = {}): Uint8Array {
  return write({ ...goodFields, extensions: Object.values(goodExtensions), ...fields });
}

/** TBSCertificate of a TLS server with extensions replaced or added; undefined leaves one out. */
export function buildServerWith(
  changes: Readonly<Record<string, Uint8Array | undefined>>,
  fields: Partial<CertificateFields> = {},
): Uint8Array {
  return write({ ...goodFields, extensions: applied(goodExtensions, changes), ...fields });
}

/** TBSCertificate of a CA with extensions replaced or added; undefined leaves one out. */
export function buildCaWith(
  changes: Readonly<Record<string, Uint8Array | undefined>> = {},
  fields: Partial<CertificateFields> = {},
): Uint8Array {
  return write({
    ...goodFields,
    notAfter: time(new Date('2036-11-01T00:00:00Z')),
    extensions: applied(caExtensions, changes),
    ...fields,
  });
}

function applied(
  table: ExtensionTable,
  changes: Readonly<Record<string, Uint8Array | undefined>>,
): readonly Uint8Array[] {
  return Object.values({ ...table, ...changes }).filter((one) => one !== undefined);
}

/** Server with one alternative name list. */
export function buildServerNamed(...names: readonly Uint8Array[]): Uint8Array {
  const id = extensionIds.subjectAlternativeName;
  return buildServerWith({ [id]: extension(id, sequence(...names)) });
}

/** Server with one subject. */
export function buildServerOf(...attributes: readonly Uint8Array[]): Uint8Array {
  return buildServer({ subject: name(...attributes) });
}

/** Certificate around a TBSCertificate, with a signature that nobody verifies. */
export function buildCertificate(tbs: Uint8Array, signatureAlgorithm: Uint8Array): Uint8Array {
  return sequence(tbs, signatureAlgorithm, bitString(Buffer.alloc(64)));
}
