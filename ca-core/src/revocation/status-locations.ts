// What certificates say about where their status is found: the OCSP responder, the issuer's certificate, and the one CRL
// that each belongs to. URLs and extensions are encoded once, so that issuing pays for a look-up and nothing else.
import { crlDistributionPoints, writeExtension } from '@gatehouse/pkix/extensions';
import type { Authority } from '../authorities/authority.ts';
import { chooseCrlScope, crlUrl, issuerUrl, ocspUrl } from './crl-scope.ts';

/** The CRL of one certificate. */
export type CrlAssignment = {
  /** Name of the CRL, recorded with the certificate; empty: none. */
  readonly scope: string;
  /** The extension crlDistributionPoints with its URL, encoded. */
  readonly distributionPoint: Uint8Array | undefined;
};

/** For certificates that name no CRL. */
export const noCrl: CrlAssignment = { scope: '', distributionPoint: undefined };

/** Where the status of one authority's certificates is found. */
export type StatusLocations = {
  readonly ocsp: string;
  readonly caIssuers: string;
  /** The CRL of a new certificate. */
  assignCrl(serialNumber: Uint8Array, isCa: boolean): CrlAssignment;
};

/**
 * Locations below a base URL.
 *
 * @param shards how many CRLs new certificates are divided among; 0: they belong to the complete one
 */
export function createStatusLocations(
  baseUrl: string,
  { name, certificate }: Pick<Authority, 'name' | 'certificate'>,
  shards: number,
): StatusLocations {
  // At most one for each shard, and one for CAs.
  const assignments = new Map<string, CrlAssignment>();

  function assignmentTo(scope: string): CrlAssignment {
    const known = assignments.get(scope);
    if (known !== undefined) return known;
    const distributionPoint = writeExtension(crlDistributionPoints([crlUrl(baseUrl, scope)]));
    const assignment = { scope, distributionPoint };
    assignments.set(scope, assignment);
    return assignment;
  }

  return {
    ocsp: ocspUrl(baseUrl),
    caIssuers: issuerUrl(baseUrl, certificate),
    assignCrl: (serialNumber, isCa) => assignmentTo(chooseCrlScope(name, shards, serialNumber, isCa)),
  };
}
