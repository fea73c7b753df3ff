// What the keep has on record, as its operator sees it.

import { X509Certificate } from 'node:crypto';
import type { House } from './house.ts';

/** Serial numbers of all certificates of a profile, sorted. */
export async function serialNumbersOf(house: Pick<House, 'operator'>, profile: string): Promise<readonly string[]> {
  const listed = await house.operator('cert', 'list', '--profile', profile, '--limit', '10000');
  if (!Array.isArray(listed)) throw new TypeError('gatehouse cert list printed no list');
  return listed.map((record: { readonly serialNumber: unknown }) => canonical(String(record.serialNumber))).sort();
}

/** The serial number of the first certificate in a PEM text. */
export function serialNumberOf(pem: string): string {
  return canonical(new X509Certificate(pem).serialNumber);
}

function canonical(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+/, '');
}
