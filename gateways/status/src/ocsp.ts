// OCSP over HTTP, RFC 6960 appendix A with the caching of RFC 5019 §6. The answer that nearly everybody gets is put together
// from memory without a promise on the way; only what needs the keep waits.

import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import { maximumRequestOctets, OcspRequestError } from '@gatehouse/pkix/ocsp/request';
import { composeOcspResponse, type OcspErrorStatus, ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import { contentHeaders, notModified, refuse, type StatusAnswer } from './answer.ts';
import { judgePreconditions } from './conditional.ts';
import { refusals } from './errors.ts';
import { cacheControl, doNotStore } from './freshness.ts';
import { formatHttpDate } from './http-date.ts';
import type { LiveAnswer } from './live-answers.ts';
import { decodeOcspPath } from './ocsp-path.ts';
import type { ResponseParts } from './state/responses.ts';
import type { StatusGate, StatusRequest } from './status-gate.ts';
import { type Lookup, lookUp } from './translate.ts';

const contentType = 'application/ocsp-response';
/** Of a signature, as entity-tag: 96 bits that no other response has. */
const tagOctets = 12;

/** Answers a request in the path. @param base64 as it stands there */
export function answerOcspGet(
  gate: StatusGate,
  request: StatusRequest,
  base64: string,
): StatusAnswer | Promise<StatusAnswer> {
  const der = decodeOcspPath(base64);
  if (der === undefined) return answerStatus('malformedRequest', 'malformed', 'the path is not base64');
  if (der.length > maximumRequestOctets) return refuse(refusals.uriTooLong);
  return answerOcsp(gate, request, der, true);
}

/**
 * Answers a request.
 *
 * @param der at most 2048 octets
 * @param isCacheable whether caches may answer in our place, and clients ask whether they have it: RFC 9110 §9.3.3 lets
 * nobody do that for a POST
 */
export function answerOcsp(
  gate: StatusGate,
  request: StatusRequest,
  der: Uint8Array,
  isCacheable: boolean,
): StatusAnswer | Promise<StatusAnswer> {
  const now = gate.clock.now().getTime();
  let lookup: Lookup;
  try {
    lookup = lookUp(gate, der, now);
  } catch (error) {
    if (!(error instanceof OcspRequestError)) throw error;
    return answerStatus('malformedRequest', 'malformed', error.detail);
  }
  if (lookup.kind === 'signed') return answerSigned(gate, request, lookup.parts, now, isCacheable);
  if (lookup.kind === 'refused') return answerStatus(lookup.status, lookup.outcome, undefined);
  const { query, key } = lookup;
  const known = key === undefined ? undefined : gate.live.find(key);
  if (known !== undefined) return answerLive(known, 'kept', now);
  return gate.live
    .ask(query, normalizeAddress(request.socket.remoteAddress), key)
    .then((signed) => answerLive(signed, signed.outcome, gate.clock.now().getTime()));
}

function answerSigned(
  gate: StatusGate,
  { headers }: StatusRequest,
  parts: ResponseParts,
  now: number,
  isCacheable: boolean,
): StatusAnswer {
  const { responseData, signature, responder, thisUpdate, nextUpdate, isDateCertain } = parts;
  const etag = `"${signature.toString('base64url', Math.max(0, signature.length - tagOctets))}"`;
  const lastModified = formatHttpDate(thisUpdate);
  const expires = formatHttpDate(nextUpdate);
  const control = cacheControl(parts, now, gate.configuration.caching.ocsp);
  if (isCacheable) {
    const verdict = judgePreconditions(headers, { etag, lastModified: thisUpdate, isDateCertain }, now);
    if (verdict === 'not-modified') {
      return notModified(['Last-Modified', lastModified, 'ETag', etag, 'Expires', expires, 'Cache-Control', control]);
    }
    if (verdict === 'failed') return refuse(refusals.preconditionFailed);
  }
  const { certificates, signatureAlgorithm } = responder;
  const response = composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates });
  return {
    status: 200,
    // Written out at once: this is what nearly every request gets.
    headers: [
      'Content-Type',
      contentType,
      'Content-Length',
      String(response.length),
      'Last-Modified',
      lastModified,
      'ETag',
      etag,
      'Expires',
      expires,
      'Cache-Control',
      control,
    ],
    body: response,
    outcome: 'pre-signed',
  };
}

function answerLive({ response, validity, keptUntil }: LiveAnswer, outcome: string, now: number): StatusAnswer {
  if (validity === undefined || keptUntil <= now) return respond(response, doNotStore, outcome);
  const caching = [
    'Last-Modified',
    formatHttpDate(validity.thisUpdate),
    'Expires',
    formatHttpDate(validity.nextUpdate),
    'Cache-Control',
    cacheControl(validity, now, keptUntil - now),
  ];
  return respond(response, caching, outcome);
}

function answerStatus(status: OcspErrorStatus, outcome: string, detail: string | undefined): StatusAnswer {
  return { ...respond(ocspErrorResponse(status), doNotStore, outcome), detail };
}

function respond(response: Uint8Array, headers: readonly string[], outcome: string): StatusAnswer {
  return {
    status: 200,
    headers: [...contentHeaders(contentType, response.length), ...headers],
    body: response,
    outcome,
  };
}
