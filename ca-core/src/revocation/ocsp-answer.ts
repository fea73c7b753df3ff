/**
 * Signs answers to OCSP requests that no pre-signed response fits (RFC 6960 §4.2): with a nonce, for several certificates,
 * for serial numbers that were never issued or whose certificates have ended. Each costs a signature on this thread, so
 * their rate is limited; what needs no signature is not counted.
 */

import { DerError } from '@gatehouse/pkix/der/reader';
import { type CertificateId, isIssuedBy, issuerHashes, readCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { maximumNonceOctets, maximumRequests } from '@gatehouse/pkix/ocsp/request';
import { composeOcspResponse, ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import type { OcspQuery, OcspResponse } from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import type { OcspResponder, OcspResponderSource } from '../authorities/ocsp-responder.ts';
import type { Keep } from '../keep.ts';
import { SignerError } from '../keys/signer.ts';
import { findCertificateStatus } from '../store/certificate-status.ts';
import { type CertificateStatus, writeResponseData } from '../x509/ocsp-response-data.ts';
import { certificateStatus, responseValidity } from './ocsp-status.ts';
import type { OcspConfiguration } from './status-configuration.ts';

/** What answering takes. */
export type OcspAnswerParts = Pick<Keep, 'store' | 'clock' | 'issuing'> & {
  readonly responder: Pick<OcspResponderSource, 'current'>;
  readonly configuration: OcspConfiguration;
};

/** Answers OCSP requests. */
export type OcspAnswers = {
  /**
   * In the order of the queries. Throws CoreError `malformed`, `rate-limited` or `unavailable`.
   *
   * @param caller its URI: each caller has an allowance of its own, so that none can use up that of the others
   */
  answer(queries: readonly OcspQuery[], caller: string): Promise<OcspResponse[]>;
};

/** RFC 6960 §2.2: what extended revoke says of a certificate that was never issued: certificateHold since 1970. */
const neverIssued: CertificateStatus = { kind: 'revoked', at: new Date(0), reason: 6 };

/** Starts with a full allowance. */
export function createOcspAnswers(parts: OcspAnswerParts): OcspAnswers {
  const { clock, configuration } = parts;
  const { liveSignaturesPerSecond: ratePerSecond } = configuration;
  const limiter =
    ratePerSecond > 0
      ? new RateLimiter({ ratePerSecond, burst: Math.max(ratePerSecond, maximumRequests), clock })
      : undefined;

  function takeSignatures(count: number, caller: string): void {
    if (count === 0) return;
    const decision = limiter?.take(caller, count) ?? { ok: false, retryAfterMs: 60_000 };
    if (decision.ok) return;
    const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000);
    throw new CoreError('rate-limited', `no more than ${ratePerSecond} OCSP responses a second are signed on request`, {
      retryAfterSeconds,
    });
  }

  return {
    async answer(queries, caller) {
      if (queries.length > maximumRequests) {
        throw new CoreError('malformed', `at most ${maximumRequests} OCSP requests are answered in one call`);
      }
      const readings = queries.map((query) => readQuery(parts, query));
      takeSignatures(readings.filter(({ kind }) => kind === 'asked').length, caller);
      const responses: OcspResponse[] = [];
      for (const reading of readings) {
        responses.push(reading.kind === 'asked' ? await signAnswer(parts, reading) : unsigned(reading.kind));
      }
      return responses;
    },
  };
}

type Asked = { readonly kind: 'asked'; readonly certificateIds: readonly CertificateId[]; readonly nonce: Uint8Array };
type Reading = Asked | { readonly kind: 'malformedRequest' | 'unauthorized' };

function readQuery({ issuing }: OcspAnswerParts, { certificateIds, nonce }: OcspQuery): Reading {
  const isPossible = certificateIds.length > 0 && certificateIds.length <= maximumRequests;
  if (!isPossible || nonce.length > maximumNonceOctets) return { kind: 'malformedRequest' };
  try {
    const read = certificateIds.map((der) => readCertificateId(der));
    // RFC 6960 §2.3: not authoritative for one of them, and so unable to answer the request.
    if (!read.every((certificateId) => isIssuedBy(certificateId, issuing.certificate))) return { kind: 'unauthorized' };
    return { kind: 'asked', certificateIds: read, nonce };
  } catch (error) {
    if (error instanceof DerError) return { kind: 'malformedRequest' };
    throw error;
  }
}

function unsigned(status: 'malformedRequest' | 'unauthorized'): OcspResponse {
  return { response: Buffer.from(ocspErrorResponse(status)), thisUpdate: undefined, nextUpdate: undefined };
}

async function signAnswer(parts: OcspAnswerParts, { certificateIds, nonce }: Asked): Promise<OcspResponse> {
  const { configuration } = parts;
  const responder = parts.responder.current();
  const now = parts.clock.now().getTime();
  const times = responseValidity(now, configuration.validity, responder.certificate.notAfter.getTime());
  if (times.nextUpdate <= times.thisUpdate) throw cannotSign(new Error('the OCSP responder has expired'));
  const thisUpdate = new Date(times.thisUpdate);
  const nextUpdate = new Date(times.nextUpdate);
  const { archiveCutoff } = configuration;
  const cutoff = archiveCutoff === undefined ? {} : { archiveCutoff: new Date(times.thisUpdate - archiveCutoff) };
  const responseData = writeResponseData({
    responderKeyHash: issuerHashes('sha1', responder.certificate).key,
    producedAt: thisUpdate,
    // RFC 6960 §4.2.2.3: with the very CertID of the request.
    singles: certificateIds.map(({ der, serialNumber }) => ({
      certificateId: der,
      status: statusOf(parts, serialNumber),
      thisUpdate,
      nextUpdate,
      ...cutoff,
    })),
    ...(nonce.length > 0 && configuration.nonce === 'sign' ? { nonce } : {}),
    isExtendedRevoke: configuration.nonIssued === 'revoked',
  });
  const signature = await sign(responder, responseData);
  const { signatureAlgorithm } = responder.signer;
  const certificates = [responder.certificate.der];
  return {
    response: composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates }),
    thisUpdate,
    nextUpdate,
  };
}

function statusOf({ store, issuing, configuration }: OcspAnswerParts, serialNumber: string): CertificateStatus {
  const record = findCertificateStatus(store, serialNumber);
  if (record?.authority === issuing.name) return certificateStatus(record);
  return configuration.nonIssued === 'revoked' ? neverIssued : { kind: 'unknown' };
}

async function sign({ signer }: OcspResponder, responseData: Uint8Array): Promise<Uint8Array> {
  try {
    return await signer.sign(responseData);
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw cannotSign(cause);
  }
}

function cannotSign(cause: Error): CoreError {
  return new CoreError('unavailable', 'the CA cannot sign OCSP responses at the moment', {
    retryAfterSeconds: 5,
    cause,
  });
}
