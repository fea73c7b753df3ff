// Certificate extensions (RFC 5280 §4.2): the list, and writer and reader of the value of each kind the house uses.
// Writers take the criticality that RFC 5280 prescribes unless told otherwise; readers refuse what is not exactly DER.
import { createHash } from 'node:crypto';
import {
  type DerCursor,
  type DerElement,
  DerError,
  open,
  readBitString,
  readBoolean,
  readObjectIdentifier,
  readOctetString,
  readOnly,
  readSmallInteger,
  tags,
} from './der/reader.ts';
import {
  boolean,
  ia5String,
  integer,
  namedBitList,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  wrap,
} from './der/writer.ts';
import {
  type GeneralName,
  readGeneralName,
  readGeneralNames,
  writeGeneralName,
  writeGeneralNames,
} from './general-names.ts';
import { type NameConstraints, writeNameConstraints } from './name-constraints.ts';
import { accessMethods, extensionIds, policyIds } from './object-identifiers.ts';
import { subjectPublicKeyOctets } from './public-key.ts';

export { readNameConstraints } from './name-constraints.ts';

/** One extension; `id` is a dotted object identifier, `value` the DER inside of the OCTET STRING. */
export type Extension = { readonly id: string; readonly isCritical: boolean; readonly value: Uint8Array };

/** Reads Extensions (SEQUENCE OF). @throws DerError when it is none, is empty, or holds an extension twice (RFC 5280 §4.2). */
export function readExtensions(value: DerElement | Uint8Array): Extension[] {
  const cursor = open(value, tags.sequence);
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  do {
    const extension = readExtension(cursor);
    if (seen.has(extension.id)) throw new DerError(`extension ${extension.id} occurs twice`);
    seen.add(extension.id);
    extensions.push(extension);
  } while (!cursor.isAtEnd);
  return extensions;
}

function readExtension(cursor: DerCursor): Extension {
  const fields = cursor.enter(tags.sequence);
  const id = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const critical = fields.readOptional(tags.boolean);
  const isCritical = critical !== undefined && readBoolean(critical);
  // X.690 §11.5 forbids to write the default, yet many a request does; what we write never has it.
  const value = readOctetString(fields.read(tags.octetString));
  fields.expectEnd();
  return { id, isCritical, value };
}

/** Writes one Extension. */
export function writeExtension({ id, isCritical, value }: Extension): Uint8Array {
  const oid = objectIdentifier(id);
  return isCritical ? sequence(oid, boolean(true), octetString(value)) : sequence(oid, octetString(value));
}

/** Writes Extensions (SEQUENCE OF), in the order given. */
export function writeExtensions(extensions: readonly Extension[]): Uint8Array {
  return sequence(...extensions.map(writeExtension));
}

/** The extension with this id, or undefined. */
export function findExtension(extensions: readonly Extension[], id: string): Extension | undefined {
  return extensions.find((extension) => extension.id === id);
}

/** Whether the subject is a CA, and how many CAs may follow below it; undefined means no limit. */
export type BasicConstraints = { readonly ca: boolean; readonly pathLength?: number };

/** basicConstraints (RFC 5280 §4.2.1.9). */
export function basicConstraints({ ca, pathLength }: BasicConstraints, isCritical = true): Extension {
  const fields = ca ? [boolean(true), ...(pathLength === undefined ? [] : [integer(pathLength)])] : [];
  return { id: extensionIds.basicConstraints, isCritical, value: sequence(...fields) };
}

/** Reads the value of basicConstraints. @throws DerError */
export function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const fields = open(value, tags.sequence);
  const caField = fields.readOptional(tags.boolean);
  const ca = caField !== undefined && readBoolean(caField);
  const lengthField = fields.readOptional(tags.integer);
  fields.expectEnd();
  if (lengthField === undefined) return { ca };
  const pathLength = readSmallInteger(lengthField);
  if (pathLength < 0) throw new DerError('basicConstraints: the path length is negative');
  return { ca, pathLength };
}

/** Bits of keyUsage in the order of RFC 5280 §4.2.1.3. */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
/** Name of one bit of keyUsage. */
export type KeyUsage = (typeof keyUsageNames)[number];

/** keyUsage (RFC 5280 §4.2.1.3). */
export function keyUsage(usages: readonly KeyUsage[], isCritical = true): Extension {
  const value = namedBitList(usages.map((usage) => keyUsageNames.indexOf(usage)));
  return { id: extensionIds.keyUsage, isCritical, value };
}

/** Reads the value of keyUsage; bits beyond the ninth are refused. @throws DerError */
export function readKeyUsage(value: Uint8Array): KeyUsage[] {
  const { bytes } = readBitString(readOnly(value, tags.bitString));
  if (bytes.length > 2 || ((bytes[1] ?? 0) & 0x7f) !== 0) throw new DerError('keyUsage has unknown bits');
  return keyUsageNames.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

/** extendedKeyUsage (RFC 5280 §4.2.1.12); `purposes` are dotted object identifiers. */
export function extendedKeyUsage(purposes: readonly string[], isCritical = false): Extension {
  return { id: extensionIds.extendedKeyUsage, isCritical, value: sequence(...purposes.map(objectIdentifier)) };
}

/** Reads the value of extendedKeyUsage. @throws DerError */
export function readExtendedKeyUsage(value: Uint8Array): string[] {
  return readList(value, (cursor) => readObjectIdentifier(cursor.read(tags.objectIdentifier)));
}

// SEQUENCE SIZE (1..MAX) OF.
function readList<T>(value: Uint8Array | DerElement, readItem: (cursor: DerCursor) => T): T[] {
  const cursor = open(value, tags.sequence);
  const items: T[] = [];
  do items.push(readItem(cursor));
  while (!cursor.isAtEnd);
  return items;
}

/** Key identifier by RFC 7093 §2 method 1: the leftmost 160 bits of the SHA-256 of the subjectPublicKey octets. */
export function keyIdentifier(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  return createHash('sha256').update(subjectPublicKeyOctets(subjectPublicKeyInfo)).digest().subarray(0, 20);
}

/** subjectKeyIdentifier (RFC 5280 §4.2.1.2) of a SubjectPublicKeyInfo, by {@link keyIdentifier}. */
export function subjectKeyIdentifier(subjectPublicKeyInfo: Uint8Array): Extension {
  const value = octetString(keyIdentifier(subjectPublicKeyInfo));
  return { id: extensionIds.subjectKeyIdentifier, isCritical: false, value };
}

/** Reads the value of subjectKeyIdentifier: the octets of the identifier. @throws DerError */
export function readSubjectKeyIdentifier(value: Uint8Array): Uint8Array {
  return readOctetString(readOnly(value, tags.octetString));
}

/** authorityKeyIdentifier (RFC 5280 §4.2.1.1) with the key identifier of the issuer, and nothing else. */
export function authorityKeyIdentifier(identifier: Uint8Array): Extension {
  return { id: extensionIds.authorityKeyIdentifier, isCritical: false, value: sequence(wrap(0x80, identifier)) };
}

/** Reads the key identifier in the value of authorityKeyIdentifier; undefined if it names the issuer otherwise. @throws DerError */
export function readAuthorityKeyIdentifier(value: Uint8Array): Uint8Array | undefined {
  const fields = open(value, tags.sequence);
  const identifier = fields.readOptional(0x80)?.contents;
  fields.readOptional(0xa1);
  fields.readOptional(0x82);
  fields.expectEnd();
  return identifier;
}

/** subjectAlternativeName (RFC 5280 §4.2.1.6); critical when the subject is empty. @throws NameError */
export function subjectAlternativeName(names: readonly GeneralName[], isCritical = false): Extension {
  return { id: extensionIds.subjectAlternativeName, isCritical, value: writeGeneralNames(names) };
}

/** Reads the value of subjectAlternativeName. @throws DerError, NameError */
export function readSubjectAlternativeName(value: Uint8Array): GeneralName[] {
  return readGeneralNames(value);
}

/** A policy: dotted object identifier and, if wanted, the URI of a certification practice statement. */
export type CertificatePolicy = { readonly id: string; readonly cps?: string };

/** certificatePolicies (RFC 5280 §4.2.1.4). */
export function certificatePolicies(policies: readonly CertificatePolicy[], isCritical = false): Extension {
  const information = policies.map(({ id, cps }) =>
    cps === undefined
      ? sequence(objectIdentifier(id))
      : sequence(objectIdentifier(id), sequence(sequence(objectIdentifier(policyIds.cps), ia5String(cps)))),
  );
  return { id: extensionIds.certificatePolicies, isCritical, value: sequence(...information) };
}

/** Reads the value of certificatePolicies; qualifiers other than a CPS URI are passed over. @throws DerError */
export function readCertificatePolicies(value: Uint8Array): CertificatePolicy[] {
  return readList(value, (cursor) => {
    const fields = cursor.enter(tags.sequence);
    const id = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const qualifiers = fields.readOptional(tags.sequence);
    fields.expectEnd();
    const cps = qualifiers === undefined ? undefined : readList(qualifiers, readCps).find((uri) => uri !== undefined);
    return cps === undefined ? { id } : { id, cps };
  });
}

function readCps(cursor: DerCursor): string | undefined {
  const fields = cursor.enter(tags.sequence);
  const id = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const qualifier = fields.read();
  fields.expectEnd();
  return id === policyIds.cps ? Buffer.from(qualifier.contents).toString('latin1') : undefined;
}

/** Where to ask for the status, and where the issuer's certificate is: absolute URIs. */
export type AuthorityInformationAccess = { readonly ocsp?: readonly string[]; readonly caIssuers?: readonly string[] };

/** authorityInformationAccess (RFC 5280 §4.2.2.1). @throws NameError for a URI that is none */
export function authorityInformationAccess({ ocsp = [], caIssuers = [] }: AuthorityInformationAccess): Extension {
  const describe = (method: string) => (value: string) =>
    sequence(objectIdentifier(method), writeGeneralName({ kind: 'uri', value }));
  const descriptions = [...ocsp.map(describe(accessMethods.ocsp)), ...caIssuers.map(describe(accessMethods.caIssuers))];
  return { id: extensionIds.authorityInformationAccess, isCritical: false, value: sequence(...descriptions) };
}

/** Reads the URIs in the value of authorityInformationAccess. @throws DerError, NameError */
export function readAuthorityInformationAccess(value: Uint8Array): Required<AuthorityInformationAccess> {
  const descriptions = readList(value, (cursor) => {
    const fields = cursor.enter(tags.sequence);
    const method = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const location = readGeneralName(fields.read());
    fields.expectEnd();
    return { method, uri: location.kind === 'uri' ? location.value : '' };
  });
  const uris = (wanted: string) => descriptions.flatMap(({ method, uri }) => (method === wanted && uri ? [uri] : []));
  return { ocsp: uris(accessMethods.ocsp), caIssuers: uris(accessMethods.caIssuers) };
}

/** crlDistributionPoints (RFC 5280 §4.2.1.13): one distribution point a URI. @throws NameError for a URI that is none */
export function crlDistributionPoints(uris: readonly string[]): Extension {
  const point = (value: string) => sequence(wrap(0xa0, wrap(0xa0, writeGeneralName({ kind: 'uri', value }))));
  return { id: extensionIds.crlDistributionPoints, isCritical: false, value: sequence(...uris.map(point)) };
}

/** Reads all URIs in the value of crlDistributionPoints. @throws DerError, NameError */
export function readCrlDistributionPoints(value: Uint8Array): string[] {
  return readList(value, (cursor) => {
    const fields = cursor.enter(tags.sequence);
    const fullName = fields.enterOptional(0xa0)?.readOptional(0xa0);
    fields.readOptional(0x81);
    fields.readOptional(0xa2);
    fields.expectEnd();
    return (fullName === undefined ? [] : readGeneralNames(fullName)).flatMap((name) =>
      name.kind === 'uri' ? [name.value] : [],
    );
  }).flat();
}

/** nameConstraints (RFC 5280 §4.2.1.10), always critical. @throws NameError */
export function nameConstraints(constraints: NameConstraints): Extension {
  return { id: extensionIds.nameConstraints, isCritical: true, value: writeNameConstraints(constraints) };
}

/** noRevAvail (RFC 9608 §2): whether the certificate was revoked is never published. Never critical. */
export function noRevocationAvailable(): Extension {
  return { id: extensionIds.noRevAvail, isCritical: false, value: nullValue() };
}

/** ocspNoCheck (RFC 6960 §4.2.2.2.1): a delegated responder is trusted as long as its certificate lives. */
export function ocspNoCheck(): Extension {
  return { id: extensionIds.ocspNoCheck, isCritical: false, value: nullValue() };
}
