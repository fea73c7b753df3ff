/**
 * An OCSP response as the answer to one question: verified, and about the certificate that was asked for and no other. What
 * is printed of it, in words for people and as JSON for programs.
 */
import type { Certificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { formatName } from '@gatehouse/pkix/names';
import type { OcspHash } from '@gatehouse/pkix/ocsp/certificate-id';
import {
  type BasicOcspResponse,
  type OcspResponseContents,
  readOcspResponse,
  type SingleResponse,
} from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import { FatalError } from '@gatehouse/runtime/fatal';
import { crlReasonName } from './crl-reason.ts';
import type { Method } from './ocsp-exchange.ts';
import { formatFields, formatTime } from './output.ts';

/** What the response is held against. */
export type OcspQuestion = {
  readonly url: string;
  /** CertID, DER. */
  readonly certificateId: Uint8Array;
  readonly issuer: Certificate;
  readonly nonce: Uint8Array | undefined;
  readonly now: Date;
};

/** What the responder says, believed. */
export type OcspAnswer = Pick<SingleResponse, 'status' | 'thisUpdate' | 'nextUpdate' | 'archiveCutoff'> & {
  readonly producedAt: Date;
  /** Whose key has signed. */
  readonly responder: Certificate;
  /** Whether that is not the issuer itself, RFC 6960 §4.2.2.2. */
  readonly isDelegated: boolean;
  /** RFC 9654: what became of the nonce. */
  readonly nonce: 'none' | 'answered' | 'ignored';
};

/** Reads and verifies an OCSPResponse. Throws FatalError when it is no answer, or one that must not be believed. */
export function readOcspAnswer(der: Uint8Array, question: OcspQuestion): OcspAnswer {
  const { url, certificateId, issuer, now } = question;
  const response = read(der, url);
  if (response.status !== 'successful') throw explainRefusal(response.status, url);
  const verification = verifyOcspResponse(response, { issuer, now });
  if (!verification.ok) throw new FatalError(`the answer of ${url} does not hold: ${verification.reason}`);
  // RFC 6960 §3.2: about the certificate of the request.
  const single = response.singles.find((one) => Buffer.compare(one.certificateId.der, certificateId) === 0);
  if (single === undefined) throw new FatalError(`the answer of ${url} is about another certificate`);
  const { responder } = verification;
  const { status, thisUpdate, nextUpdate, archiveCutoff } = single;
  return {
    status,
    thisUpdate,
    nextUpdate,
    archiveCutoff,
    producedAt: response.producedAt,
    responder,
    isDelegated: Buffer.compare(responder.der, issuer.der) !== 0,
    nonce: judgeNonce(response, question),
  };
}

function read(der: Uint8Array, url: string): OcspResponseContents {
  try {
    return readOcspResponse(der);
  } catch (cause) {
    if (!(cause instanceof PkixError)) throw cause;
    throw new FatalError(`what ${url} answered cannot be read: ${cause.detail}`, { cause });
  }
}

/** RFC 6960 §2.3. */
function explainRefusal(status: Exclude<OcspResponseContents['status'], 'successful'>, url: string): FatalError {
  const hints: Readonly<Record<typeof status, string>> = {
    malformedRequest: 'it does not understand the request: try --sha1, or without --nonce',
    internalError: 'try again later',
    tryLater: 'try again later',
    sigRequired: 'it answers signed requests only',
    unauthorized: 'it does not answer for this certificate: is it the responder of its issuer? Try --sha1',
  };
  return new FatalError(`${url} answered ${status}`, { hint: hints[status] });
}

/** RFC 9654 §2.1: a responder may leave a nonce out; one that answers another is replayed. */
function judgeNonce(response: BasicOcspResponse, { nonce, url }: OcspQuestion): OcspAnswer['nonce'] {
  if (nonce === undefined) return 'none';
  if (response.nonce === undefined) return 'ignored';
  if (Buffer.compare(response.nonce, nonce) === 0) return 'answered';
  throw new FatalError(`the answer of ${url} does not hold: its nonce is not the one of the request`);
}

/** How it was asked. */
export type Asked = {
  readonly url: string;
  readonly method: Method;
  readonly hash: OcspHash;
  readonly certificate: Certificate;
};

/** The fields for people. */
export function formatOcspAnswer(answer: OcspAnswer, { url, method, hash, certificate }: Asked): string {
  const { status, responder } = answer;
  const until = `until ${formatTime(responder.notAfter)}`;
  return formatFields([
    ['Serial number', certificate.serialNumber],
    ['Subject', formatName(certificate.subject)],
    ['Status', status.kind],
    ['Revoked', status.kind === 'revoked' ? `${formatTime(status.at)} (${crlReasonName(status.reason)})` : undefined],
    ['This update', formatTime(answer.thisUpdate)],
    ['Next update', answer.nextUpdate === undefined ? undefined : formatTime(answer.nextUpdate)],
    ['Produced', formatTime(answer.producedAt)],
    ['Archive cutoff', answer.archiveCutoff === undefined ? undefined : formatTime(answer.archiveCutoff)],
    ['Responder', `${formatName(responder.subject)} (${answer.isDelegated ? `delegated, ${until}` : 'the issuer'})`],
    ['Nonce', answer.nonce === 'none' ? undefined : answer.nonce],
    ['Asked', `${url} (${method}, ${hash === 'sha1' ? 'SHA-1' : 'SHA-256'})`],
  ]);
}

/** The shape of `--json`. */
export function describeOcspAnswer(answer: OcspAnswer, { url, method, hash, certificate }: Asked): unknown {
  const { status, responder, isDelegated } = answer;
  return {
    serialNumber: certificate.serialNumber,
    status: status.kind,
    revocation: status.kind === 'revoked' ? { revokedAt: status.at, reason: crlReasonName(status.reason) } : undefined,
    thisUpdate: answer.thisUpdate,
    nextUpdate: answer.nextUpdate,
    producedAt: answer.producedAt,
    archiveCutoff: answer.archiveCutoff,
    responder: {
      subject: formatName(responder.subject),
      serialNumber: responder.serialNumber,
      isDelegated,
      notAfter: responder.notAfter,
    },
    nonce: answer.nonce,
    asked: { url, method, hash },
  };
}
