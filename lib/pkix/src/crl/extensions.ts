// Extensions of CRLs and of their entries (RFC 5280 §5.2, §5.3): writer and reader of each. Writers take the criticality
// that RFC 5280 prescribes and refuse what it forbids; readers take what the RFC allows. Indirect CRLs are told apart, so
// that nobody takes one for a CRL of its issuer.
import {
  type DerElement,
  DerError,
  open,
  readBigInteger,
  readBoolean,
  readOnly,
  readSmallInteger,
  readTime,
  tags,
} from '../der/reader.ts';
import { boolean, enumerated, generalizedTime, implicit, integer, sequence, wrap } from '../der/writer.ts';
import { crlDistributionPoints, type Extension, readCrlDistributionPoints } from '../extensions.ts';
import { readGeneralNames, writeGeneralName } from '../general-names.ts';
import { extensionIds } from '../object-identifiers.ts';

/** CRLReason (RFC 5280 §5.3.1) by name; 7 is not used. */
export const crlReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;
/** Name of a CRLReason. */
export type CrlReasonName = keyof typeof crlReasons;

const knownReasons: ReadonlySet<number> = new Set(Object.values(crlReasons));

/** Whether a number is a CRLReason; `removeFromCRL` is one, and 7 is none. */
export function isCrlReason(reason: number): boolean {
  return knownReasons.has(reason);
}

/** cRLNumber (RFC 5280 §5.2.3): from 0, at most 20 octets. @throws DerError */
export function crlNumber(number: number | bigint): Extension {
  return { id: extensionIds.crlNumber, isCritical: false, value: writeCrlNumber(number) };
}

/** deltaCRLIndicator (RFC 5280 §5.2.4), always critical: the number of the complete CRL that the delta starts from. @throws DerError */
export function deltaCrlIndicator(baseCrlNumber: number | bigint): Extension {
  return { id: extensionIds.deltaCrlIndicator, isCritical: true, value: writeCrlNumber(baseCrlNumber) };
}

function writeCrlNumber(number: number | bigint): Uint8Array {
  if (number < 0 || number >= 2n ** 159n) throw new DerError(`${number} is not a CRL number`);
  return integer(number);
}

/** Reads the value of cRLNumber or deltaCRLIndicator. @throws DerError also for one that is negative or has more than 20 octets */
export function readCrlNumber(value: Uint8Array): bigint {
  const element = readOnly(value, tags.integer);
  // RFC 5280 §5.2.3: verifiers must handle 20 octets; issuers must not use more.
  if (element.contents.length > 20) throw new DerError('a CRL number has more than 20 octets');
  const number = readBigInteger(element);
  if (number < 0n) throw new DerError('a CRL number is negative');
  return number;
}

/** What a CRL holds, and where it is found (RFC 5280 §5.2.5). */
export type IssuingDistributionPoint = {
  /** URIs under which this CRL is published; none: no distribution point. */
  readonly fullName?: readonly string[];
  /** At most one of these three. */
  readonly onlyContains?: 'user-certificates' | 'ca-certificates' | 'attribute-certificates';
  /** Whether it lists only some reasons for revocations. Never written. */
  readonly hasOnlySomeReasons?: boolean;
  /** Whether it lists certificates of other issuers. Never written. */
  readonly isIndirect?: boolean;
};

const onlyContainsTags = {
  'user-certificates': 1,
  'ca-certificates': 2,
  'attribute-certificates': 5,
} as const;

/**
 * issuingDistributionPoint (RFC 5280 §5.2.5), always critical. The URIs stand in it octet for octet, as verifiers compare
 * them with those of the certificate.
 *
 * @throws DerError when there is nothing to say, or it would be for some reasons or indirect
 * @throws NameError for a URI that is none
 */
export function issuingDistributionPoint(point: IssuingDistributionPoint): Extension {
  const { fullName = [], onlyContains, hasOnlySomeReasons = false, isIndirect = false } = point;
  if (hasOnlySomeReasons || isIndirect) throw new DerError('CRLs by reason and indirect CRLs are not made');
  const fields: Uint8Array[] = [];
  if (fullName.length > 0) {
    const names = fullName.map((value) => writeGeneralName({ kind: 'uri', value }));
    fields.push(wrap(0xa0, wrap(0xa0, ...names)));
  }
  if (onlyContains !== undefined) fields.push(implicit(onlyContainsTags[onlyContains], boolean(true)));
  // RFC 5280 §5.2.5: never an empty sequence.
  if (fields.length === 0) throw new DerError('an issuing distribution point says nothing');
  return { id: extensionIds.issuingDistributionPoint, isCritical: true, value: sequence(...fields) };
}

/** Reads the value of issuingDistributionPoint; names other than URIs are passed over. @throws DerError, NameError */
export function readIssuingDistributionPoint(
  value: Uint8Array,
): Required<Omit<IssuingDistributionPoint, 'onlyContains'>> & Pick<IssuingDistributionPoint, 'onlyContains'> {
  const fields = open(value, tags.sequence);
  const pointName = fields.enterOptional(0xa0);
  const flag = (tag: number) => {
    const element = fields.readOptional(tag);
    return element !== undefined && readBoolean(element);
  };
  const isOnlyUser = flag(0x81);
  const isOnlyCa = flag(0x82);
  const hasOnlySomeReasons = fields.readOptional(0x83) !== undefined;
  const isIndirect = flag(0x84);
  const isOnlyAttribute = flag(0x85);
  fields.expectEnd();
  if (Number(isOnlyUser) + Number(isOnlyCa) + Number(isOnlyAttribute) > 1) {
    throw new DerError('an issuing distribution point is for more than one kind of certificate only');
  }
  let fullName: readonly string[] = [];
  if (pointName !== undefined) {
    const name = pointName.read();
    pointName.expectEnd();
    fullName = readFullName(name);
  }
  const onlyContains = isOnlyUser
    ? 'user-certificates'
    : isOnlyCa
      ? 'ca-certificates'
      : isOnlyAttribute
        ? 'attribute-certificates'
        : undefined;
  return { fullName, hasOnlySomeReasons, isIndirect, ...(onlyContains === undefined ? {} : { onlyContains }) };
}

function readFullName(name: DerElement): readonly string[] {
  // nameRelativeToCRLIssuer, which RFC 5280 §4.2.1.13 tells issuers not to use, names no URI.
  if (name.tag === 0xa1) return [];
  if (name.tag !== 0xa0) throw new DerError('something else stands where a distribution point name must stand');
  return readGeneralNames(name).flatMap((each) => (each.kind === 'uri' ? [each.value] : []));
}

/** freshestCRL (RFC 5280 §5.2.6), never critical: where delta CRLs for this CRL are. @throws NameError for a URI that is none */
export function freshestCrl(uris: readonly string[]): Extension {
  return { id: extensionIds.freshestCrl, isCritical: false, value: crlDistributionPoints(uris).value };
}

/** Reads all URIs in the value of freshestCRL. @throws DerError, NameError */
export function readFreshestCrl(value: Uint8Array): string[] {
  return readCrlDistributionPoints(value);
}

/** reasonCode of an entry (RFC 5280 §5.3.1), never critical. Leave it out rather than write `unspecified`. @throws DerError */
export function reasonCode(reason: number): Extension {
  if (!isCrlReason(reason)) throw new DerError(`${reason} is not a reason for a revocation`);
  return { id: extensionIds.reasonCode, isCritical: false, value: enumerated(reason) };
}

/** Reads the value of reasonCode. @throws DerError also for a reason that RFC 5280 does not have */
export function readReasonCode(value: Uint8Array): number {
  const reason = readSmallInteger(readOnly(value, tags.enumerated));
  if (!isCrlReason(reason)) throw new DerError(`${reason} is not a reason for a revocation`);
  return reason;
}

/** invalidityDate of an entry (RFC 5280 §5.3.2), never critical: since when the key was lost or the certificate wrong. @throws DerError */
export function invalidityDate(at: Date): Extension {
  return { id: extensionIds.invalidityDate, isCritical: false, value: generalizedTime(at) };
}

/** Reads the value of invalidityDate. @throws DerError */
export function readInvalidityDate(value: Uint8Array): Date {
  return readTime(readOnly(value, tags.generalizedTime));
}
