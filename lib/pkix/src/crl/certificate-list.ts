// CRLs (RFC 5280 §5.1) as values. What stands before and after the entries is read at once, the entries when they are
// asked for: there may be millions. Reading checks structure and bounds and refuses what would be misunderstood (critical
// extensions nobody knows, indirect CRLs); whether a CRL is genuine or current is not decided here.
import { DerCursor, DerError, open, readBitString, readSmallInteger, readTime, tags } from '../der/reader.ts';
import { PkixError } from '../errors.ts';
import { type Extension, findExtension, readAuthorityKeyIdentifier, readExtensions } from '../extensions.ts';
import { NameError } from '../names.ts';
import { extensionIds } from '../object-identifiers.ts';
import { readSerialNumber } from '../serial-number.ts';
import {
  type AlgorithmIdentifier,
  areAlgorithmIdentifiersEqual,
  readAlgorithmIdentifier,
} from '../signature-algorithms.ts';
import {
  crlReasons,
  type IssuingDistributionPoint,
  readCrlNumber,
  readFreshestCrl,
  readInvalidityDate,
  readIssuingDistributionPoint,
  readReasonCode,
} from './extensions.ts';

/** Largest CRL that is read, in octets: about five million entries. */
export const maximumCertificateListOctets = 256 * 1024 * 1024;

/** One revoked certificate. */
export type CertificateListEntry = {
  /** As `Certificate` has it. */
  readonly serialNumber: string;
  readonly revocationDate: Date;
  /** CRLReason (RFC 5280 §5.3.1); 0 when the entry has none. */
  readonly reason: number;
  readonly invalidityDate: Date | undefined;
};

/** A CRL whose structure is right, but for its entries. `tbs` is what was signed. All bytes are views of `der`. */
export type CertificateList = {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: Date;
  /** RFC 5280 §5.1.2.5 demands it; there are CRLs without. */
  readonly nextUpdate: Date | undefined;
  readonly crlNumber: bigint | undefined;
  /** There for a delta CRL only. */
  readonly baseCrlNumber: bigint | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** KeyIdentifier of the issuer. */
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  /** URIs of delta CRLs. */
  readonly freshestCrl: readonly string[];
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  /** The revoked certificates, from the first each time. @throws CertificateListError at an entry that cannot be read */
  entries(): Generator<CertificateListEntry, void, undefined>;
};

/** Bytes that are no CRL, or one that cannot be used for what it says. */
export class CertificateListError extends PkixError {
  readonly code = 'malformed';
}

function within<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof NameError || cause instanceof DerError) {
      throw new CertificateListError(`CRL: ${cause.detail}`, { cause });
    }
    throw cause;
  }
}

/** Reads a CRL of at most {@link maximumCertificateListOctets} octets; the signature is not verified. @throws CertificateListError */
export function readCertificateList(der: Uint8Array): CertificateList {
  if (der.length > maximumCertificateListOctets) {
    throw new CertificateListError(`CRL: ${der.length} octets where ${maximumCertificateListOctets} are allowed`);
  }
  return within(() => read(der));
}

function read(der: Uint8Array): CertificateList {
  const outer = open(der, tags.sequence);
  const tbsElement = outer.read(tags.sequence);
  const signatureAlgorithm = readAlgorithmIdentifier(outer);
  const { unusedBits, bytes: signature } = readBitString(outer.read(tags.bitString));
  outer.expectEnd();
  if (unusedBits !== 0) throw new DerError('the signature does not fill its last octet');

  const fields = new DerCursor(tbsElement.contents, 2);
  const versionField = fields.readOptional(tags.integer);
  const version = versionField === undefined ? 1 : readSmallInteger(versionField) + 1;
  if (versionField !== undefined && version !== 2) throw new DerError(`version ${version} is unknown`);
  // RFC 5280 §5.1.1.2: both places hold the same identifier; only one of them is signed.
  if (!areAlgorithmIdentifiersEqual(readAlgorithmIdentifier(fields), signatureAlgorithm)) {
    throw new DerError('the signature algorithm is not the one that was signed');
  }
  const issuerDer = fields.read(tags.sequence).raw;
  const thisUpdate = readTime(fields.read());
  const nextTag = fields.peekTag();
  const hasNextUpdate = nextTag === tags.utcTime || nextTag === tags.generalizedTime;
  const nextUpdate = hasNextUpdate ? readTime(fields.read()) : undefined;
  const entries = fields.readOptional(tags.sequence)?.contents;
  const extensionsField = fields.enterOptional(0xa0);
  fields.expectEnd();
  const extensions = extensionsField === undefined ? [] : readExtensions(extensionsField.read(tags.sequence));
  extensionsField?.expectEnd();
  // RFC 5280 §5.1.2.1: version 2 when extensions are used.
  if (extensions.length > 0 && version !== 2) throw new DerError('extensions in a CRL of version 1');
  return {
    der,
    tbs: tbsElement.raw,
    issuerDer,
    thisUpdate,
    nextUpdate,
    ...readCrlExtensions(extensions),
    extensions,
    signatureAlgorithm,
    signature,
    entries: () => readEntries(entries ?? new Uint8Array(0)),
  };
}

type CrlExtensions = Pick<
  CertificateList,
  'crlNumber' | 'baseCrlNumber' | 'issuingDistributionPoint' | 'authorityKeyIdentifier' | 'freshestCrl'
>;

const processedExtensions = new Set<string>([
  extensionIds.crlNumber,
  extensionIds.deltaCrlIndicator,
  extensionIds.issuingDistributionPoint,
  extensionIds.authorityKeyIdentifier,
  extensionIds.freshestCrl,
]);

function readCrlExtensions(extensions: readonly Extension[]): CrlExtensions {
  refuseUnknown(extensions, processedExtensions);
  const value = <T>(id: string, readValue: (value: Uint8Array) => T): T | undefined => {
    const extension = findExtension(extensions, id);
    return extension === undefined ? undefined : readValue(extension.value);
  };
  const issuingDistributionPoint = value(extensionIds.issuingDistributionPoint, readIssuingDistributionPoint);
  // RFC 5280 §5.3.3: its entries belong to other issuers, so its serial numbers would be taken for those of this one.
  if (issuingDistributionPoint?.isIndirect) throw new DerError('it is indirect, which is not supported');
  return {
    crlNumber: value(extensionIds.crlNumber, readCrlNumber),
    baseCrlNumber: value(extensionIds.deltaCrlIndicator, readCrlNumber),
    issuingDistributionPoint,
    authorityKeyIdentifier: value(extensionIds.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    freshestCrl: value(extensionIds.freshestCrl, readFreshestCrl) ?? [],
  };
}

// RFC 5280 §5.2 and §5.3: a CRL with a critical extension that cannot be processed must not be used.
function refuseUnknown(extensions: readonly Extension[], known: ReadonlySet<string>): void {
  const unknown = extensions.find(({ id, isCritical }) => isCritical && !known.has(id));
  if (unknown !== undefined) throw new DerError(`critical extension ${unknown.id} is not processed`);
}

function* readEntries(contents: Uint8Array): Generator<CertificateListEntry, void, undefined> {
  const cursor = new DerCursor(contents, 3);
  while (!cursor.isAtEnd) yield within(() => readEntry(cursor.enter(tags.sequence)));
}

const processedEntryExtensions = new Set<string>([extensionIds.reasonCode, extensionIds.invalidityDate]);

function readEntry(fields: DerCursor): CertificateListEntry {
  const serialNumber = readSerialNumber(fields.read(tags.integer));
  const revocationDate = readTime(fields.read());
  const extensionsField = fields.readOptional(tags.sequence);
  fields.expectEnd();
  if (extensionsField === undefined) {
    return { serialNumber, revocationDate, reason: crlReasons.unspecified, invalidityDate: undefined };
  }
  const extensions = readExtensions(extensionsField);
  refuseUnknown(extensions, processedEntryExtensions);
  const reason = findExtension(extensions, extensionIds.reasonCode);
  const invalidSince = findExtension(extensions, extensionIds.invalidityDate);
  return {
    serialNumber,
    revocationDate,
    reason: reason === undefined ? crlReasons.unspecified : readReasonCode(reason.value),
    invalidityDate: invalidSince === undefined ? undefined : readInvalidityDate(invalidSince.value),
  };
}
