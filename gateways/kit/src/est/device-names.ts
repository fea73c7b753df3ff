// What the devices of a manufacturer may enrol, by patterns in which `{serialNumber}`, `{CN}`, `{hwType}` and
// `{hwSerialNum}` stand for what the certificate of each says of itself. A value that would mean something in a pattern is
// never put in: a certificate must not widen its own policy.

import { type Certificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import {
  findHardwareModuleName,
  formatHardwareSerialNumber,
  type HardwareModuleName,
} from '@gatehouse/pkix/hardware-module-name';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import {
  compileConfiguredPatterns,
  compileNamePatterns,
  NamePatternError,
  type NamePatterns,
  type NamePolicy,
} from './name-policy.ts';

type Placeholder = 'serialNumber' | 'CN' | 'hwType' | 'hwSerialNum';

/** Values of a device by placeholder; undefined where its certificate has none, or more than one. */
const placeholderValues: Readonly<Record<Placeholder, (device: Certificate) => string | undefined>> = {
  serialNumber: (device) => onlyValue(device, attributeTypes.serialNumber),
  CN: (device) => onlyValue(device, attributeTypes.CN),
  hwType: (device) => hardwareModuleOf(device)?.type,
  hwSerialNum: (device) => {
    const hardware = hardwareModuleOf(device);
    return hardware === undefined ? undefined : formatHardwareSerialNumber(hardware);
  },
};

const placeholder = /\{(serialNumber|CN|hwType|hwSerialNum)\}/g;

/**
 * Makes the policies of devices.
 *
 * @param where place of the patterns, for the message
 * @throws {FatalError} for a pattern that means nothing
 */
export function compileDevicePatterns(where: string, patterns: NamePatterns): (device: Certificate) => NamePolicy {
  // With plain values in place of the device's, a pattern that means nothing is found at the start.
  compileConfiguredPatterns(where, expand(patterns, () => 'x') ?? patterns);
  return (device) => {
    const filled = expand(patterns, (name) => placeholderValues[name](device));
    return filled === undefined ? nothing : compileOrNothing(filled);
  };
}

const nothing: NamePolicy = () => ['anything by the names of its certificate'];

// What a device calls itself may be no domain where the pattern wants one.
function compileOrNothing(patterns: NamePatterns): NamePolicy {
  try {
    return compileNamePatterns(patterns);
  } catch (error) {
    if (error instanceof NamePatternError) return nothing;
    throw error;
  }
}

/** The hardware that a device certificate speaks of; undefined when it speaks of none that could be told apart. */
export function hardwareModuleOf(device: Certificate): HardwareModuleName | undefined {
  try {
    return findHardwareModuleName(subjectAlternativeNames(device));
  } catch (error) {
    if (error instanceof PkixError) return undefined;
    throw error;
  }
}

function expand(patterns: NamePatterns, lookUp: (name: Placeholder) => string | undefined): NamePatterns | undefined {
  let isComplete = true;
  const fill = (entry: string): string =>
    entry.replace(placeholder, (_, name: Placeholder) => {
      const value = lookUp(name);
      if (value === undefined || !/^[^*/=:]+$/.test(value)) isComplete = false;
      return value ?? '';
    });
  const filled: NamePatterns = {
    dnsSuffixes: patterns.dnsSuffixes.map(fill),
    ipRanges: patterns.ipRanges,
    uriPrefixes: patterns.uriPrefixes.map(fill),
    emailDomains: patterns.emailDomains.map(fill),
    subjectAttributes: patterns.subjectAttributes.map(fill),
  };
  return isComplete ? filled : undefined;
}

function onlyValue(device: Certificate, type: string): string | undefined {
  const values = attributeValues(device.subject, type);
  return values.length === 1 ? values[0] : undefined;
}
