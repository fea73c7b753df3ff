// CRLs of foreign CAs (RFC 5280 §5), read whole from a file for one purpose: to say whether a device certificate is
// revoked. A list whose signature does not verify, or that is out of date, says nothing.

import type { Certificate } from '@gatehouse/pkix/certificate';
import { DerCursor, DerError, open, readBitString, readInteger, readTime, tags } from '@gatehouse/pkix/der/reader';
import { readAlgorithmIdentifier, verifySignature } from '@gatehouse/pkix/signature-algorithms';

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
 * @throws {DerError} when it is none, or none of the issuers signed it
 */
export function readCertificateList(der: Uint8Array, issuers: readonly Certificate[]): CertificateList {
  const fields = open(der, tags.sequence);
  const tbs = fields.read(tags.sequence);
  const algorithm = readAlgorithmIdentifier(fields);
  const signature = readBitString(fields.read(tags.bitString)).bytes;
  fields.expectEnd();

  const list = new DerCursor(tbs.contents, 2);
  list.readOptional(tags.integer);
  list.skip(tags.sequence);
  const issuerDer = list.read(tags.sequence).raw;
  const issuer = issuers.find(
    ({ subjectDer, subjectPublicKeyInfo }) =>
      Buffer.compare(subjectDer, issuerDer) === 0 &&
      verifySignature({ algorithm, spki: subjectPublicKeyInfo, data: tbs.raw, signature }).ok,
  );
  if (issuer === undefined) throw new DerError('the CRL is signed by none of the certificates of its anchor');
  const thisUpdate = readTime(list.read());
  const next = list.peekTag();
  const nextUpdate = next === tags.utcTime || next === tags.generalizedTime ? readTime(list.read()) : undefined;
  const revoked = new Set<string>();
  const entries = list.enterOptional(tags.sequence);
  while (entries !== undefined && !entries.isAtEnd) {
    const entry = entries.enter(tags.sequence);
    revoked.add(formatSerialNumber(readInteger(entry.read(tags.integer))));
  }
  return { issuerDer, thisUpdate, nextUpdate, revoked };
}

/** The status of a certificate by a list; `unknown` when the list is another CA's or out of date. */
export function isRevoked(list: CertificateList, certificate: Certificate, at: Date): 'good' | 'revoked' | 'unknown' {
  if (Buffer.compare(certificate.issuerDer, list.issuerDer) !== 0) return 'unknown';
  if (list.revoked.has(certificate.serialNumber)) return 'revoked';
  const isCurrent = list.thisUpdate <= at && (list.nextUpdate === undefined || at <= list.nextUpdate);
  return isCurrent ? 'good' : 'unknown';
}

function formatSerialNumber(contents: Uint8Array): string {
  return Buffer.from(contents[0] === 0 && contents.length > 1 ? contents.subarray(1) : contents).toString('hex');
}
