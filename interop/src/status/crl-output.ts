// What `openssl crl -text` prints of a CRL, as far as the profile of RFC 5280 §5 makes promises about it.

/** An entry, RFC 5280 §5.3. */
export type CrlEntry = {
  /** Hexadecimal, upper case, as openssl writes it. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  /** As openssl writes it: `Key Compromise`; undefined when the CRL gives none. */
  readonly reason: string | undefined;
  /** RFC 5280 §5.3.2: since when the key is known or suspected to be lost. */
  readonly invalidSince: Date | undefined;
};

/** A CRL. */
export type CrlContents = {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: bigint;
  /** RFC 5280 §5.2.4: of a delta, the CRL that it starts from. */
  readonly baseNumber: bigint | undefined;
  /** RFC 5280 §5.2.5. */
  readonly distributionPoint: DistributionPoint | undefined;
  /** RFC 5280 §5.2.6: where its delta is. */
  readonly freshest: string | undefined;
  readonly hasAuthorityKeyIdentifier: boolean;
  readonly entries: readonly CrlEntry[];
};

/** The scope of a CRL. */
export type DistributionPoint = {
  readonly isCritical: boolean;
  readonly url: string | undefined;
  readonly only: 'users' | 'authorities' | undefined;
};

/** openssl printed something else, or the CRL is not as RFC 5280 §5 profiles it. */
export class CrlOutputError extends Error {
  override readonly name = 'CrlOutputError';
}

/** Reads it. @throws {CrlOutputError} naming what is missing */
export function parseCrlText(text: string): CrlContents {
  if (!/^\s+Version 2 \(0x1\)$/m.test(text)) throw new CrlOutputError('the CRL is not of version 2');
  const [head = '', entries = ''] = text.split(/^Revoked Certificates:$/m);
  const number = numberOf(head, 'CRL Number');
  if (number === undefined) throw new CrlOutputError('the CRL has no number');
  return {
    thisUpdate: timeOf(head, 'Last Update'),
    nextUpdate: timeOf(head, 'Next Update'),
    number,
    baseNumber: numberOf(head, 'Delta CRL Indicator', 'critical'),
    distributionPoint: distributionPointOf(head),
    freshest: /X509v3 Freshest CRL: *\n\s+Full Name:\n\s+URI:(\S+)/.exec(head)?.[1],
    hasAuthorityKeyIdentifier: /X509v3 Authority Key Identifier: *\n\s+(keyid:)?[0-9A-F]{2}:/.test(head),
    entries: entriesOf(entries),
  };
}

function entriesOf(text: string): readonly CrlEntry[] {
  const [, ...parts] = text.split(/^ {4}Serial Number: /m);
  return parts.map((part) => {
    const serialNumber = /^[0-9A-F]+/.exec(part)?.[0];
    if (serialNumber === undefined) throw new CrlOutputError('an entry has no serial number');
    const reason = /X509v3 CRL Reason Code: *\n\s+(\S.*)$/m.exec(part)?.[1];
    const invalidSince = part.includes('Invalidity Date') ? timeOf(part, 'Invalidity Date') : undefined;
    return { serialNumber, revokedAt: timeOf(part, 'Revocation Date'), reason, invalidSince };
  });
}

function distributionPointOf(text: string): DistributionPoint | undefined {
  const name = 'Issuing Distribution Point:';
  const part = text.split(/^\s+X509v3 /m).find((extension) => extension.startsWith(name));
  if (part === undefined) return undefined;
  // openssl 3.0 forgets the end of the line behind the URL.
  const url = /URI:(\S+)/.exec(part)?.[1];
  const only = part.includes('Only User Certificates')
    ? 'users'
    : part.includes('Only CA Certificates')
      ? 'authorities'
      : undefined;
  return { isCritical: part.startsWith(`${name} critical`), url, only };
}

function numberOf(text: string, extension: string, criticality = ''): bigint | undefined {
  const digits = new RegExp(`X509v3 ${extension}: *${criticality}\\n\\s+(\\d+|0x[0-9A-Fa-f]+)`).exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

function timeOf(text: string, field: string): Date {
  const value = new RegExp(`${field}:\\s+(\\S.*)`).exec(text)?.[1];
  const time = new Date(value ?? '');
  if (Number.isNaN(time.getTime())) throw new CrlOutputError(`'${value}' is no ${field}`);
  return time;
}
