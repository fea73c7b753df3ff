// From an OCSP request to what is to be done about it: hand out what is signed already, say that it is not ours to answer,
// or ask the keep. Nothing in here waits, and nothing is ever answered from what has ended.

import type { OcspHash } from '@gatehouse/pkix/ocsp/certificate-id';
import { type OcspRequest, readOcspRequest } from '@gatehouse/pkix/ocsp/request';
import type { OcspErrorStatus } from '@gatehouse/pkix/ocsp/response';
import type { OcspQuery } from '@gatehouse/ra-client/status';
import type { Issuer, Publication } from './state/publication.ts';
import type { ResponseParts, Responses } from './state/responses.ts';

/** What is to be done. */
export type Lookup =
  | { readonly kind: 'signed'; readonly parts: ResponseParts }
  | { readonly kind: 'refused'; readonly status: OcspErrorStatus; readonly outcome: string }
  | {
      readonly kind: 'ask';
      readonly query: OcspQuery;
      /** Names the question, when the answer may be given to others who ask it. */
      readonly key: string | undefined;
    };

/** What is looked at. */
export type StatusState = {
  readonly publication: Pick<Publication, 'issuers' | 'findIssuer' | 'recognize'>;
  readonly responses: Pick<Responses, 'find'>;
};

const notLoaded: Lookup = { kind: 'refused', status: 'tryLater', outcome: 'not-loaded' };
// RFC 5019 §2.2.3: not authoritative for this issuer, or for its hash.
const unknownIssuer: Lookup = { kind: 'refused', status: 'unauthorized', outcome: 'unauthorized' };

/** Where the CertID of a plain request begins: inside of four SEQUENCEs. */
const plainCertificateId = 8;

/**
 * Looks up the answer to a request.
 *
 * @param der OCSPRequest
 * @param now epoch milliseconds
 * @throws {OcspRequestError} when it is none
 */
export function lookUp(state: StatusState, der: Uint8Array, now: number): Lookup {
  const plain = state.publication.recognize(der);
  if (plain !== undefined) {
    const { issuer, hash, serialNumber } = plain;
    if (!issuer.hasOcsp) return unknownIssuer;
    return lookUpOne(state, issuer, hash, serialNumber, der.subarray(plainCertificateId), now);
  }
  const request = readOcspRequest(der);
  const { certificateIds, nonce } = request;
  const [certificateId] = certificateIds;
  if (certificateId === undefined || certificateIds.length > 1) return lookUpMany(state, request);
  const issuer = state.publication.findIssuer(certificateId);
  const { hash, serialNumber } = certificateId;
  if (issuer === undefined || hash === 'other' || !issuer.hasOcsp) return refuseIssuer(state);
  // RFC 9654: a responder that does not know the extension ignores it; so does one that is told to.
  if (nonce !== undefined && issuer.answersNonce) {
    return { kind: 'ask', query: { certificateIds: [certificateId.der], nonce }, key: undefined };
  }
  return lookUpOne(state, issuer, hash, serialNumber, certificateId.der, now);
}

function lookUpOne(
  state: StatusState,
  issuer: Issuer,
  hash: OcspHash,
  serialNumber: string,
  certificateId: Uint8Array,
  now: number,
): Lookup {
  const parts = state.responses.find(issuer.name, serialNumber, hash);
  if (parts !== undefined && parts.nextUpdate > now) return { kind: 'signed', parts };
  return {
    kind: 'ask',
    query: { certificateIds: [certificateId] },
    // An answer in place of one that has ended is not kept: what the keep signs next must not be hidden by it.
    key: parts === undefined ? `${issuer.name}/${hash}/${serialNumber}` : undefined,
  };
}

// RFC 6960 §4.1: one response speaks of all of them, and is signed for this request.
function lookUpMany(state: StatusState, { certificateIds, nonce }: OcspRequest): Lookup {
  let answersNonce = false;
  for (const certificateId of certificateIds) {
    const issuer = state.publication.findIssuer(certificateId);
    if (issuer === undefined || !issuer.hasOcsp) return refuseIssuer(state);
    answersNonce ||= issuer.answersNonce;
  }
  const ids = certificateIds.map(({ der }) => der);
  return { kind: 'ask', query: { certificateIds: ids, nonce: answersNonce ? nonce : undefined }, key: undefined };
}

/** Before anything was loaded, nobody can say which issuers are unknown. */
function refuseIssuer({ publication }: StatusState): Lookup {
  return publication.issuers.length === 0 ? notLoaded : unknownIssuer;
}
