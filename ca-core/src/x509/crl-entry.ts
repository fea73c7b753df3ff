// Encodes the entries of a CRL (RFC 5280 §5.1.2.6, §5.3) into a buffer of the caller's, without making anything in between:
// a CRL may have a million of them. All lengths inside of an entry fit into one octet.
import { crlReasons, isCrlReason } from '@gatehouse/pkix/crl/extensions';

/** One revoked certificate. */
export type CrlEntry = {
  /** Hexadecimal, two digits an octet; positive, at most 20 octets. */
  readonly serialNumber: string;
  /** Milliseconds since 1970; fractions of a second are cut. */
  readonly revokedAt: number;
  /** CRLReason (RFC 5280 §5.3.1); unspecified (0) is left out, removeFromCRL (8) stands in delta CRLs only. */
  readonly reason: number;
  /** Milliseconds since 1970, or null for none; fractions of a second are cut. */
  readonly invalidityDate: number | null;
};

/** No entry is longer: 23 octets serialNumber, 17 revocationDate, 12 and 26 extensions, and the heads around them. */
export const maximumCrlEntryOctets = 82;

/** Extension reasonCode up to its value; never critical. */
const reasonCodeHead = Uint8Array.of(0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01);
/** Extension invalidityDate up to the digits of its GeneralizedTime; never critical. */
const invalidityDateHead = Uint8Array.of(0x30, 0x18, 0x06, 0x03, 0x55, 0x1d, 0x18, 0x04, 0x11, 0x18, 0x0f);
const reasonCodeOctets = reasonCodeHead.length + 1;
const invalidityDateOctets = invalidityDateHead.length + 15;

/**
 * Encodes an entry at `at`, where {@link maximumCrlEntryOctets} must be free.
 *
 * @returns where it ends
 * @throws {RangeError} when its serial number, a time or its reason is none
 */
export function writeCrlEntry(target: Uint8Array, at: number, entry: CrlEntry): number {
  const { serialNumber, revokedAt, reason, invalidityDate } = entry;
  if (!isCrlReason(reason)) throw new RangeError(`${reason} is not a reason for a revocation`);
  const start = at + 2;
  let end = writeSerialNumber(target, start, serialNumber);
  end = writeRevocationDate(target, end, revokedAt);
  const hasReason = reason !== crlReasons.unspecified;
  if (hasReason || invalidityDate !== null) {
    target[end++] = 0x30;
    target[end++] = (hasReason ? reasonCodeOctets : 0) + (invalidityDate === null ? 0 : invalidityDateOctets);
    if (hasReason) {
      target.set(reasonCodeHead, end);
      end += reasonCodeOctets;
      target[end - 1] = reason;
    }
    if (invalidityDate !== null) {
      target.set(invalidityDateHead, end);
      end = writeGeneralizedDigits(target, end + invalidityDateHead.length, invalidityDate);
    }
  }
  target[at] = 0x30;
  target[at + 1] = end - start;
  return end;
}

function writeSerialNumber(target: Uint8Array, at: number, hex: string): number {
  const { length } = hex;
  if (length === 0 || length % 2 !== 0) throw new RangeError(`'${hex}' is not a serial number`);
  let end = at + 2;
  for (let i = 0; i < length; i += 2) {
    const octet = (hexDigit(hex, i) << 4) | hexDigit(hex, i + 1);
    if (end === at + 2) {
      // X.690 §8.3.2: no leading zero octets but the one that keeps the number positive.
      if (octet === 0) continue;
      if (octet > 0x7f) target[end++] = 0;
    }
    // RFC 5280 §4.1.2.2: at most 20 octets.
    if (end - at === 22) throw new RangeError(`the serial number '${hex}' has more than 20 octets`);
    target[end++] = octet;
  }
  if (end === at + 2) throw new RangeError('a serial number is positive');
  target[at] = 0x02;
  target[at + 1] = end - at - 2;
  return end;
}

function hexDigit(hex: string, i: number): number {
  const code = hex.charCodeAt(i) | 0x20;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  const digit = hex.charCodeAt(i) - 0x30;
  if (digit >= 0 && digit <= 9) return digit;
  throw new RangeError(`'${hex}' is not a serial number`);
}

// One object for all times: a new one for each of a million entries would be garbage.
const calendar = new Date(0);

function writeRevocationDate(target: Uint8Array, at: number, ms: number): number {
  calendar.setTime(ms);
  const year = calendar.getUTCFullYear();
  // RFC 5280 §5.1.2.6 and §5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050.
  const isUtcTime = year >= 1950 && year <= 2049;
  target[at] = isUtcTime ? 0x17 : 0x18;
  target[at + 1] = isUtcTime ? 13 : 15;
  if (!isUtcTime) return writeGeneralizedDigits(target, at + 2, ms);
  return writeTimeOfYear(target, writeTwoDigits(target, at + 2, year % 100));
}

function writeGeneralizedDigits(target: Uint8Array, at: number, ms: number): number {
  calendar.setTime(ms);
  const year = calendar.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new RangeError(`${ms} is not a time of the years 0 to 9999`);
  const end = writeTwoDigits(target, at, Math.trunc(year / 100));
  return writeTimeOfYear(target, writeTwoDigits(target, end, year % 100));
}

function writeTimeOfYear(target: Uint8Array, at: number): number {
  let end = writeTwoDigits(target, at, calendar.getUTCMonth() + 1);
  end = writeTwoDigits(target, end, calendar.getUTCDate());
  end = writeTwoDigits(target, end, calendar.getUTCHours());
  end = writeTwoDigits(target, end, calendar.getUTCMinutes());
  end = writeTwoDigits(target, end, calendar.getUTCSeconds());
  target[end++] = 0x5a;
  return end;
}

function writeTwoDigits(target: Uint8Array, at: number, value: number): number {
  target[at] = 0x30 + Math.trunc(value / 10);
  target[at + 1] = 0x30 + (value % 10);
  return at + 2;
}
