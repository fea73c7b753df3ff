// Messages of CertificateStatus for tests: right in form, with octets that nobody reads.

import { createHash } from 'node:crypto';
import type { CrlFacts, CrlPart, StatusChanges } from '@gatehouse/proto/certificate-status';

/** A message of WatchStatus without content. */
export function statusChanges(overrides: Partial<StatusChanges> = {}): StatusChanges {
  return { epoch: 'e1', position: 0, responders: [], responses: [], crls: [], isCurrent: true, ...overrides };
}

/** Facts about a CRL with these octets. */
export function crlFacts(octets: Uint8Array, overrides: Partial<CrlFacts> = {}): CrlFacts {
  return {
    scope: 'issuing-1',
    isDelta: false,
    crlNumber: 7,
    baseCrlNumber: 0,
    thisUpdate: new Date('2026-01-01T00:00:00Z'),
    nextUpdate: new Date('2026-01-04T00:00:00Z'),
    entries: 0,
    size: octets.length,
    sha256: createHash('sha256').update(octets).digest(),
    authority: 'issuing',
    ...overrides,
  };
}

/** A CRL as GetCrl sends it. */
export function crlParts(facts: CrlFacts, octets: Uint8Array, partSize = 1000): CrlPart[] {
  const parts: CrlPart[] = [{ part: { $case: 'facts', value: facts } }];
  for (let at = 0; at < octets.length; at += partSize) {
    parts.push({ part: { $case: 'octets', value: Buffer.from(octets.subarray(at, at + partSize)) } });
  }
  return parts;
}
