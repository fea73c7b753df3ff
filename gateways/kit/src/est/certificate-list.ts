// CRLs of foreign CAs (RFC 5280 §5), read from a file for one purpose: to say whether a device certificate is revoked. A
// list whose signature does not verify, that leaves out a part of its CA's certificates, or that is out of date, must
// never say that a device is good.

import type { Certificate } from '@gatehouse/pkix/certificate';
import { type CertificateList as ReadList, readCertificateList as read } from '@gatehouse/pkix/crl/certificate-list';
import { DerError } from '@gatehouse/pkix/der/reader';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';

/** What a CRL says. */
export type CertificateList = {
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** Serial numbers as in {@link Certificate}. */
  readonly revoked: ReadonlySet<string>;
};

/**
 * Reads a CRL and verifies its signature with the issuer among `issuers`.
 *
 * @throws {PkixError} when it is none, none of the issuers signed it, or it does not cover all devices of its CA
 */
export function readCertificateList(der: Uint8Array, issuers: readonly Certificate[]): CertificateList {
  const list = read(der);
  const { issuerDer, tbs, signature, signatureAlgorithm: algorithm, thisUpdate, nextUpdate } = list;
  const issuer = issuers.find(
    ({ subjectDer, subjectPublicKeyInfo }) =>
      Buffer.compare(subjectDer, issuerDer) === 0 &&
      verifySignature({ algorithm, spki: subjectPublicKeyInfo, data: tbs, signature }).ok,
  );
  if (issuer === undefined) throw new DerError('the CRL is signed by none of the certificates of its anchor');
  refusePartial(list);
  const revoked = new Set<string>();
  for (const { serialNumber } of list.entries()) revoked.add(serialNumber);
  return { issuerDer, thisUpdate, nextUpdate, revoked };
}

// RFC 5280 §5.2.4, §5.2.5: what a delta, or the CRL of one distribution point, does not list may be revoked all the same.
function refusePartial({ baseCrlNumber, issuingDistributionPoint }: ReadList): void {
  if (baseCrlNumber !== undefined) throw new DerError('the CRL is a delta; the complete CRL is needed');
  if (issuingDistributionPoint === undefined) return;
  const { fullName = [], onlyContains, hasOnlySomeReasons = false } = issuingDistributionPoint;
  const leavesDevicesOut = onlyContains !== undefined && onlyContains !== 'user-certificates';
  if (fullName.length > 0 || hasOnlySomeReasons || leavesDevicesOut) {
    throw new DerError('the CRL covers only a part of its CA’s certificates; the complete CRL is needed');
  }
}

/** The status of a certificate by a list; `unknown` when the list is another CA's or out of date. */
export function isRevoked(list: CertificateList, certificate: Certificate, at: Date): 'good' | 'revoked' | 'unknown' {
  if (Buffer.compare(certificate.issuerDer, list.issuerDer) !== 0) return 'unknown';
  if (list.revoked.has(certificate.serialNumber)) return 'revoked';
  const isCurrent = list.thisUpdate <= at && (list.nextUpdate === undefined || at <= list.nextUpdate);
  return isCurrent ? 'good' : 'unknown';
}
