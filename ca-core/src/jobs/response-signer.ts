/**
 * Signs what is said of one certificate, for both hashes by which a CertID may name its issuer (RFC 6960 §4.1.1). What is
 * the same for all certificates is encoded once; the rest costs little beside the two signatures.
 */
import { issuerHashes, type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { certificateStatus, responseValidity } from '../revocation/ocsp-status.ts';
import type { CertificateStatusRecord } from '../store/certificate-status.ts';
import type { NewResponse, SignedData } from '../store/responses/response-log.ts';
import type { TemplateIssuer } from '../x509/key-identifier.ts';
import { writeResponseData } from '../x509/ocsp-response-data.ts';

/** Signs pre-signed responses in the name of one responder. */
export type ResponseSigner = {
  /** When the responder ends, epoch milliseconds: it signs nothing that lives longer. */
  readonly endsAt: number;
  /**
   * The response for a certificate as it stands.
   *
   * @param now epoch milliseconds, before {@link ResponseSigner.endsAt}
   */
  sign(record: CertificateStatusRecord, now: number): NewResponse;
};

/** What {@link createResponseSigner} takes. */
export type ResponseSignerOptions = {
  /** Of the certificates that are spoken of. */
  readonly issuer: Pick<TemplateIssuer, 'subjectDer' | 'subjectPublicKeyInfo'>;
  /** The delegated responder's certificate. */
  readonly responder: Pick<TemplateIssuer, 'subjectDer' | 'subjectPublicKeyInfo'> & { readonly notAfter: Date };
  sign(data: Uint8Array): Uint8Array;
  /** From thisUpdate to nextUpdate. */
  readonly validityMs: number;
  /** RFC 6960 §4.4.4: how long after their end certificates are answered for; undefined: not at all. */
  readonly archiveCutoffMs: number | undefined;
};

/** A signer in the name of a responder. */
export function createResponseSigner(options: ResponseSignerOptions): ResponseSigner {
  const { issuer, responder, sign, archiveCutoffMs } = options;
  const responderKeyHash = issuerHashes('sha1', responder).key;
  const endsAt = responder.notAfter.getTime();

  return {
    endsAt,
    sign(record, now) {
      const { authority, serialNumber } = record;
      const { thisUpdate, nextUpdate } = responseValidity(now, options.validityMs, endsAt);
      const status = certificateStatus(record);
      const times = { thisUpdate: new Date(thisUpdate), nextUpdate: new Date(nextUpdate) };
      const cutoff = archiveCutoffMs === undefined ? {} : { archiveCutoff: new Date(thisUpdate - archiveCutoffMs) };
      const answer = (hash: OcspHash): SignedData => {
        const certificateId = writeCertificateId(hash, issuer, serialNumber);
        const responseData = writeResponseData({
          responderKeyHash,
          producedAt: times.thisUpdate,
          singles: [{ certificateId, status, ...times, ...cutoff }],
        });
        return { responseData, signature: sign(responseData) };
      };
      const due = dueAt(thisUpdate, nextUpdate);
      return { authority, serialNumber, thisUpdate, nextUpdate, due, sha1: answer('sha1'), sha256: answer('sha256') };
    },
  };
}

/** When a response is to be signed anew: after half of its life. */
export function dueAt(thisUpdate: number, nextUpdate: number): number {
  return thisUpdate + Math.floor((nextUpdate - thisUpdate) / 2);
}
