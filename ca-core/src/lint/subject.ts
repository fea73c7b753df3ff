// What lints look at: a TBSCertificate (or a whole Certificate) taken apart from its octets by the DER reader, each part
// when the first lint asks for it. It must not use anything the certificate was made from: a lint is a second opinion.
import {
  DerCursor,
  type DerElement,
  readBoolean,
  readObjectIdentifier,
  readSmallInteger,
  readTime,
  tags,
} from '@gatehouse/pkix/der/reader';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import type { EncodedValue } from './encoded-value.ts';
import {
  type AccessDescriptionView,
  type AuthorityKeyIdentifierView,
  type BasicConstraintsView,
  type DistributionPointView,
  type KeyUsageView,
  type NameConstraintsView,
  readAccessDescriptions,
  readAuthorityKeyIdentifierView,
  readBasicConstraintsView,
  readDistributionPoints,
  readGeneralNameViews,
  readIdentifiers,
  readKeyUsageView,
  readNameConstraintsView,
  readPolicyIdentifiers,
} from './extension-views.ts';
import { type AlgorithmView, type KeyView, readAlgorithmView, readKeyView } from './key-view.ts';
import { type NameView, readNameView } from './name-view.ts';

/** One extension as encoded. */
export type ExtensionView = {
  readonly id: string;
  readonly isCritical: boolean;
  /** Whether `critical` is written although it is FALSE, its default. */
  readonly isDefaultEncoded: boolean;
  /** extnValue. */
  readonly value: DerElement;
};

/** The fields of a TBSCertificate in the order of RFC 5280 §4.1, each view made when it is first read. */
export class LintSubject {
  /** Version as people count it: 1, 2 or 3. */
  readonly version: number;
  /** Contents octets of serialNumber. */
  readonly serialNumber: Uint8Array;
  readonly notBefore: DerElement;
  readonly notAfter: DerElement;
  readonly hasUniqueIdentifier: boolean;
  /** Whether the extensions field is there, be it empty. */
  readonly hasExtensions: boolean;
  readonly extensions: readonly ExtensionView[];
  readonly #signature: DerElement;
  readonly #signatureAlgorithm: DerElement | undefined;
  readonly #issuer: DerElement;
  readonly #subject: DerElement;
  readonly #subjectPublicKeyInfo: DerElement;
  readonly #firstExtensions = new Map<string, ExtensionView>();
  #basicConstraints: BasicConstraintsView | undefined;
  #keyUsage: KeyUsageView | undefined;
  #extendedKeyUsage: readonly string[] | undefined;
  #subjectAlternativeName: readonly EncodedValue[] | undefined;
  #authorityKeyIdentifier: AuthorityKeyIdentifierView | undefined;
  #authorityInformationAccess: readonly AccessDescriptionView[] | undefined;
  #crlDistributionPoints: readonly DistributionPointView[] | undefined;
  #certificatePolicies: readonly string[] | undefined;
  #nameConstraints: NameConstraintsView | undefined;
  #issuerView: NameView | undefined;
  #subjectView: NameView | undefined;
  #keyView: KeyView | undefined;
  #signatureView: AlgorithmView | undefined;
  #dnsNames: readonly string[] | undefined;
  #notBeforeMs: number | undefined;
  #notAfterMs: number | undefined;

  constructor(tbs: DerCursor, signatureAlgorithm: DerElement | undefined) {
    const version = tbs.enterOptional(0xa0);
    this.version = version === undefined ? 1 : readSmallInteger(version.read(tags.integer)) + 1;
    this.serialNumber = tbs.read(tags.integer).contents;
    this.#signature = tbs.read(tags.sequence);
    this.#signatureAlgorithm = signatureAlgorithm;
    this.#issuer = tbs.read(tags.sequence);
    const validity = tbs.enter(tags.sequence);
    this.notBefore = validity.read();
    this.notAfter = validity.read();
    validity.expectEnd();
    this.#subject = tbs.read(tags.sequence);
    this.#subjectPublicKeyInfo = tbs.read(tags.sequence);
    const issuerUniqueId = tbs.readOptional(0x81);
    const subjectUniqueId = tbs.readOptional(0x82);
    this.hasUniqueIdentifier = issuerUniqueId !== undefined || subjectUniqueId !== undefined;
    const extensions = tbs.enterOptional(0xa3);
    tbs.expectEnd();
    this.hasExtensions = extensions !== undefined;
    this.extensions = extensions === undefined ? [] : readExtensionViews(extensions);
    for (const extension of this.extensions) {
      if (!this.#firstExtensions.has(extension.id)) this.#firstExtensions.set(extension.id, extension);
    }
  }

  /** AlgorithmIdentifier inside of the TBSCertificate. */
  get signature(): AlgorithmView {
    this.#signatureView ??= readAlgorithmView(this.#signature.raw);
    return this.#signatureView;
  }

  /** Whether the AlgorithmIdentifier beside the TBSCertificate, if one was read, is the same as the one inside. */
  get isSignatureAlgorithmIdentical(): boolean {
    return this.#signatureAlgorithm === undefined || areEqual(this.#signature.raw, this.#signatureAlgorithm.raw);
  }

  get issuer(): NameView {
    this.#issuerView ??= readNameView(this.#issuer.raw);
    return this.#issuerView;
  }

  get subject(): NameView {
    this.#subjectView ??= readNameView(this.#subject.raw);
    return this.#subjectView;
  }

  get key(): KeyView {
    this.#keyView ??= readKeyView(this.#subjectPublicKeyInfo.raw);
    return this.#keyView;
  }

  /** Milliseconds since 1970; NaN when the field is no time of RFC 5280 §4.1.2.5. */
  get notBeforeMs(): number {
    this.#notBeforeMs ??= readMs(this.notBefore);
    return this.#notBeforeMs;
  }

  /** Milliseconds since 1970; NaN when the field is no time of RFC 5280 §4.1.2.5. */
  get notAfterMs(): number {
    this.#notAfterMs ??= readMs(this.notAfter);
    return this.#notAfterMs;
  }

  /** Whether issuer and subject are the same octets, as in a trust anchor's certificate. */
  get isSelfIssued(): boolean {
    return this.#subject.contents.length > 0 && areEqual(this.#issuer.contents, this.#subject.contents);
  }

  /** The first extension with this identifier. */
  extension(id: string): ExtensionView | undefined {
    return this.#firstExtensions.get(id);
  }

  get basicConstraints(): BasicConstraintsView | undefined {
    this.#basicConstraints ??= this.#value(extensionIds.basicConstraints, readBasicConstraintsView);
    return this.#basicConstraints;
  }

  get keyUsage(): KeyUsageView | undefined {
    this.#keyUsage ??= this.#value(extensionIds.keyUsage, readKeyUsageView);
    return this.#keyUsage;
  }

  /** Texts of the dNSName entries of subjectAltName. */
  get dnsNames(): readonly string[] {
    this.#dnsNames ??= (this.subjectAlternativeName ?? []).filter(({ tag }) => tag === 0x82).map(({ text }) => text);
    return this.#dnsNames;
  }

  /** How many different identifiers the extensions have. */
  get distinctExtensions(): number {
    return this.#firstExtensions.size;
  }

  get extendedKeyUsage(): readonly string[] | undefined {
    this.#extendedKeyUsage ??= this.#value(extensionIds.extendedKeyUsage, readIdentifiers);
    return this.#extendedKeyUsage;
  }

  get subjectAlternativeName(): readonly EncodedValue[] | undefined {
    this.#subjectAlternativeName ??= this.#value(extensionIds.subjectAlternativeName, readGeneralNameViews);
    return this.#subjectAlternativeName;
  }

  get authorityKeyIdentifier(): AuthorityKeyIdentifierView | undefined {
    this.#authorityKeyIdentifier ??= this.#value(extensionIds.authorityKeyIdentifier, readAuthorityKeyIdentifierView);
    return this.#authorityKeyIdentifier;
  }

  get authorityInformationAccess(): readonly AccessDescriptionView[] | undefined {
    this.#authorityInformationAccess ??= this.#value(extensionIds.authorityInformationAccess, readAccessDescriptions);
    return this.#authorityInformationAccess;
  }

  get crlDistributionPoints(): readonly DistributionPointView[] | undefined {
    this.#crlDistributionPoints ??= this.#value(extensionIds.crlDistributionPoints, readDistributionPoints);
    return this.#crlDistributionPoints;
  }

  get certificatePolicies(): readonly string[] | undefined {
    this.#certificatePolicies ??= this.#value(extensionIds.certificatePolicies, readPolicyIdentifiers);
    return this.#certificatePolicies;
  }

  get nameConstraints(): NameConstraintsView | undefined {
    this.#nameConstraints ??= this.#value(extensionIds.nameConstraints, readNameConstraintsView);
    return this.#nameConstraints;
  }

  /** Whether the bit of KeyUsage (RFC 5280 §4.2.1.3) is set. */
  hasKeyUsage(bit: number): boolean {
    const octet = this.keyUsage?.bytes[bit >> 3] ?? 0;
    return (octet & (0x80 >> (bit & 7))) !== 0;
  }

  #value<View>(id: string, read: (value: Uint8Array) => View): View | undefined {
    const extension = this.#firstExtensions.get(id);
    return extension && read(extension.value.contents);
  }
}

/**
 * Reads what lints look at from the DER of a TBSCertificate or of a Certificate.
 *
 * @throws DerError when the octets are neither.
 */
export function readLintSubject(bytes: Uint8Array): LintSubject {
  // Views of a plain Uint8Array cost less than those of a Buffer.
  const outer = new DerCursor(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  // A Certificate starts with the SEQUENCE of its TBSCertificate, a TBSCertificate with [0] or an INTEGER.
  if (cursor.peekTag() !== tags.sequence) return new LintSubject(cursor, undefined);
  const tbs = cursor.enter(tags.sequence);
  const signatureAlgorithm = cursor.read(tags.sequence);
  cursor.skip(tags.bitString);
  cursor.expectEnd();
  return new LintSubject(tbs, signatureAlgorithm);
}

function readExtensionViews(explicit: DerCursor): readonly ExtensionView[] {
  const sequence = explicit.enter(tags.sequence);
  explicit.expectEnd();
  const views: ExtensionView[] = [];
  while (!sequence.isAtEnd) {
    const extension = sequence.enter(tags.sequence);
    const id = readObjectIdentifier(extension.read(tags.objectIdentifier));
    const critical = extension.readOptional(tags.boolean);
    const isCritical = critical !== undefined && readBoolean(critical);
    const value = extension.read(tags.octetString);
    extension.expectEnd();
    views.push({ id, isCritical, isDefaultEncoded: critical !== undefined && !isCritical, value });
  }
  return views;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function readMs(element: DerElement): number {
  try {
    return readTime(element).getTime();
  } catch {
    return Number.NaN;
  }
}
