// What the keep has on record, as its operator sees it.

import { X509Certificate } from 'node:crypto';
import type { House } from './house.ts';

/** A certificate on record. */
export type KeepRecord = { readonly serialNumber: string; readonly state: string; readonly subject: string };

/** All certificates of a profile. */
export async function recordsOf(house: Pick<House, 'operator'>, profile: string): Promise<readonly KeepRecord[]> {
  const listed = await house.operator('cert', 'list', '--profile', profile, '--limit', '10000');
  if (!Array.isArray(listed)) throw new TypeError('gatehouse cert list printed no list');
  return listed.map((record: Readonly<Record<string, unknown>>) => ({
    serialNumber: canonicalSerialNumber(String(record.serialNumber)),
    state: String(record.state),
    subject: String(record.subject),
  }));
}

/** Serial numbers of all certificates of a profile, sorted. */
export async function serialNumbersOf(house: Pick<House, 'operator'>, profile: string): Promise<readonly string[]> {
  return (await recordsOf(house, profile)).map(({ serialNumber }) => serialNumber).sort();
}

/** The serial number of the first certificate in a PEM text. */
export function serialNumberOf(pem: string): string {
  return canonicalSerialNumber(new X509Certificate(pem).serialNumber);
}

/** Lower case hexadecimal without leading zeros. */
export function canonicalSerialNumber(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+/, '');
}
