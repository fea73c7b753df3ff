/** Serial numbers as people and tools write them. */
import { FatalError } from '@gatehouse/runtime/fatal';

/** A serial number as tools print it (colons, capitals, leading zeros) in the form of the contract. */
export function parseSerialNumber(serial: string): string {
  const digits = serial.replaceAll(/[:\s]/g, '').replace(/^0x/i, '').toLowerCase();
  if (!/^[0-9a-f]{1,40}$/.test(digits)) {
    throw new FatalError(`'${serial}' is not a serial number`, {
      hint: "write it in hexadecimal; 'gatehouse cert find NAME' shows it",
    });
  }
  return digits.replace(/^(?:00)+(?=.)/, '');
}
