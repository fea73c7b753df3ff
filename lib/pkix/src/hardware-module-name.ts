// HardwareModuleName, RFC 4108 §5: the otherName by which a device certificate (IEEE 802.1AR §8.10.4) says which piece of
// hardware holds its key. It identifies a device within its manufacturer, as the serialNumber of a subject does.

import { DerError, open, readObjectIdentifier, readOctetString, tags } from './der/reader.ts';
import { objectIdentifier, octetString, sequence } from './der/writer.ts';
import type { GeneralName } from './general-names.ts';
import { otherNameTypes } from './object-identifiers.ts';

/** What identifies a piece of hardware. */
export type HardwareModuleName = {
  /** hwType: dotted object identifier. */
  readonly type: string;
  /** hwSerialNum: octets, which mean something to the manufacturer alone. */
  readonly serialNumber: Uint8Array;
};

/** More than any serial number of hardware. */
const maximumSerialNumberOctets = 64;

/**
 * The hardware that these alternative names speak of; undefined when they speak of none.
 *
 * @throws {DerError} when they speak of more than one, or in a form that is none
 */
export function findHardwareModuleName(names: readonly GeneralName[]): HardwareModuleName | undefined {
  const values = names.flatMap((name) =>
    name.kind === 'other' && name.type === otherNameTypes.hardwareModuleName ? [name.value] : [],
  );
  const [value, ...more] = values;
  if (value === undefined) return undefined;
  if (more.length > 0) throw new DerError('more than one HardwareModuleName');
  return readHardwareModuleName(value);
}

/** Reads `SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }`. @throws {DerError} */
export function readHardwareModuleName(der: Uint8Array): HardwareModuleName {
  const fields = open(der, tags.sequence);
  const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const serialNumber = readOctetString(fields.read(tags.octetString));
  fields.expectEnd();
  if (serialNumber.length === 0 || serialNumber.length > maximumSerialNumberOctets) {
    throw new DerError(`hwSerialNum of ${serialNumber.length} octets`);
  }
  return { type, serialNumber };
}

/** The same as a general name. */
export function hardwareModuleName({ type, serialNumber }: HardwareModuleName): GeneralName {
  return {
    kind: 'other',
    type: otherNameTypes.hardwareModuleName,
    value: sequence(objectIdentifier(type), octetString(serialNumber)),
  };
}

const textForm = /^(?!0x)[0-9A-Za-z._-]+$/;

/**
 * A serial number as text: as it is when it is letters, digits, '.', '_' and '-'; else `0x` and hexadecimal digits. Two
 * serial numbers never have one text.
 */
export function formatHardwareSerialNumber({ serialNumber }: HardwareModuleName): string {
  const octets = Buffer.from(serialNumber);
  const text = octets.toString('latin1');
  return textForm.test(text) ? text : `0x${octets.toString('hex')}`;
}
