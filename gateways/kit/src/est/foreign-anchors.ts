// The second trust store: anchors of other CAs, RFC 7030 §3.6, with the labels and operations for which they count, what
// their devices may enrol, and a CRL where expired device certificates are to be accepted.

import { readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { type CertificateList, isRevoked, readCertificateList } from './certificate-list.ts';
import type { TrustAnchorSettings } from './configuration.ts';
import { compileConfiguredPatterns, type NamePatterns, type NamePolicy } from './name-policy.ts';

/** One foreign anchor, ready for use. */
export type ForeignAnchor = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly operations: readonly string[];
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly acceptsExpired: boolean;
  /** What the device with this certificate may enrol; undefined: the names of its own certificate. */
  policyFor(device: Certificate): NamePolicy | undefined;
  revocationStatus(device: Certificate, at: Date): 'good' | 'revoked' | 'unknown';
};

/**
 * Loads an anchor.
 *
 * @param resolve makes a path of the configuration absolute
 * @throws {FatalError} when a file cannot be used or a name pattern means nothing
 */
export function loadForeignAnchor(settings: TrustAnchorSettings, resolve: (path: string) => string): ForeignAnchor {
  const certificates = loadCertificates(resolve(settings.file));
  // Self-signed ones are anchors; without any, all are: an operator may trust an intermediate alone.
  const selfSigned = certificates.filter(({ issuerDer, subjectDer }) => Buffer.compare(issuerDer, subjectDer) === 0);
  const anchors = selfSigned.length > 0 ? selfSigned : certificates;
  const { revocationList } = settings;
  const list = revocationList === undefined ? undefined : loadCertificateList(resolve(revocationList), certificates);
  const { names } = settings;
  const compile = (patterns: NamePatterns) => compileConfiguredPatterns(`trust anchor ${settings.name}`, patterns);
  if (names !== undefined) {
    // With plain values in place of the device's, a pattern that means nothing is found at the start.
    compile(expand(names, () => 'x') ?? names);
  }
  return {
    name: settings.name,
    labels: settings.labels,
    operations: settings.operations,
    anchors,
    intermediates: certificates.filter((certificate) => !anchors.includes(certificate)),
    acceptsExpired: settings.acceptsExpired,
    policyFor: (device) => {
      if (names === undefined) return undefined;
      const patterns = expand(names, (name) => placeholderValue(device, name));
      return patterns === undefined ? () => ['the names of this device'] : compile(patterns);
    },
    revocationStatus: (device, at) => (list === undefined ? 'good' : isRevoked(list, device, at)),
  };
}

const placeholder = /\{(serialNumber|CN)\}/g;

/**
 * Puts the device's own values into patterns. A value that would mean something in a pattern is never put in: a
 * certificate must not widen its own policy.
 */
function expand(patterns: NamePatterns, lookUp: (name: string) => string | undefined): NamePatterns | undefined {
  let isComplete = true;
  const fill = (entry: string): string =>
    entry.replace(placeholder, (_, name: string) => {
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

function placeholderValue(device: Certificate, name: string): string | undefined {
  const values = attributeValues(device.subject, name === 'CN' ? attributeTypes.CN : attributeTypes.serialNumber);
  return values.length === 1 ? values[0] : undefined;
}

function loadCertificates(file: string): readonly Certificate[] {
  const certificates = readFile(file, (bytes) =>
    decodePem(bytes.toString('latin1'), ['CERTIFICATE']).map(({ der }) => readCertificate(der)),
  );
  if (certificates.length === 0) throw new FatalError(`${file} holds no certificate in PEM`);
  return certificates;
}

function loadCertificateList(file: string, issuers: readonly Certificate[]): CertificateList {
  return readFile(file, (bytes) => {
    const der = bytes[0] === 0x30 ? bytes : decodePem(bytes.toString('latin1'), ['X509 CRL'])[0]?.der;
    if (der === undefined) throw new FatalError(`${file} holds no CRL`);
    return readCertificateList(der, issuers);
  });
}

function readFile<T>(file: string, read: (bytes: Buffer) => T): T {
  try {
    return read(readFileSync(file));
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    const why = cause instanceof PkixError ? cause.detail : String(cause instanceof Error ? cause.message : cause);
    throw new FatalError(`${file} cannot be used: ${why}`, { cause });
  }
}
