// UTCTime and GeneralizedTime in the one form that RFC 5280 §4.1.2.5 allows: seconds, no fraction, Z. It must never
// round a day or hour that does not exist into one that does.
import { DerError } from './error.ts';

const utcTime = 0x17;
const generalizedTime = 0x18;

/** Instant of the contents octets of a time; throws DerError for any other form or an instant that does not exist. */
export function decodeTime(tag: number, contents: Uint8Array): Date {
  if (tag !== utcTime && tag !== generalizedTime) throw new DerError('something else stands where a time must stand');
  const yearDigits = tag === utcTime ? 2 : 4;
  if (contents.length !== yearDigits + 11 || contents[yearDigits + 10] !== 0x5a) {
    throw new DerError('a time is not in the form of RFC 5280');
  }
  let year = digits(contents, 0, yearDigits);
  // RFC 5280 §4.1.2.5.1: two digits from 50 on are of the twentieth century.
  if (yearDigits === 2) year += year >= 50 ? 1900 : 2000;
  const month = digits(contents, yearDigits, 2);
  const day = digits(contents, yearDigits + 2, 2);
  const hour = digits(contents, yearDigits + 4, 2);
  const minute = digits(contents, yearDigits + 6, 2);
  const second = digits(contents, yearDigits + 8, 2);
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  // Date.UTC takes the years 0 to 99 for those of the twentieth century; setUTCFullYear does not.
  date.setUTCFullYear(year, month - 1, day);
  const isDayReal = date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
  if (!isDayReal || hour > 23 || minute > 59 || second > 59) throw new DerError('a time does not exist');
  return date;
}

function digits(contents: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const octet = contents[i] ?? 0;
    if (octet < 0x30 || octet > 0x39) throw new DerError('a time holds a character that is no digit');
    value = value * 10 + octet - 0x30;
  }
  return value;
}

/** `YYYYMMDDHHMMSSZ` of an instant, fractions of a second cut; throws DerError outside of the years 0 to 9999. */
export function compactTime(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new DerError('a time outside of the years 0 to 9999 cannot be written');
  const pad = (value: number) => (value < 10 ? `0${value}` : `${value}`);
  const day = `${String(year).padStart(4, '0')}${pad(date.getUTCMonth() + 1)}${pad(date.getUTCDate())}`;
  return `${day}${pad(date.getUTCHours())}${pad(date.getUTCMinutes())}${pad(date.getUTCSeconds())}Z`;
}
