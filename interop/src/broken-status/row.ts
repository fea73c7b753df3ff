// What a row of the table of broken inputs of the status gate is.

import type { OcspRequestFields } from '../crafted-ocsp-request.ts';
import { type CertIdFields, craftOcspRequest } from '../crafted-ocsp-request.ts';
import type { CurlRequest } from '../curl/request.ts';

/** Things that are in order, to be spoilt. */
export type StatusMaterial = {
  /** A request for one certificate as openssl writes it, DER. */
  readonly request: Buffer;
  /** Its CertID. */
  readonly certificateId: Uint8Array;
  readonly fields: CertIdFields;
  /** The response to it, DER. */
  readonly response: Buffer;
  /** A certificate of the issuing CA, DER. */
  readonly certificate: Buffer;
  /** `127.0.0.1:6960`. */
  readonly authority: string;
};

/** A request by curl; a POST of an OCSP request to /ocsp unless told. */
export type StatusRequest = Partial<CurlRequest>;

/** RFC 6960 §4.2.1: answers that need no signature, with their OCSPResponseStatus. */
export const ocspErrors = {
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const;

/** What must come: a status of HTTP, with the fields that belong to it, or one of OCSP with 200. */
export type Refusal =
  | { readonly status: number; readonly header?: readonly [name: string, form: RegExp] | undefined }
  | { readonly ocsp: keyof typeof ocspErrors };

/** One broken input. */
export type BrokenStatusInput = {
  /** Completes 'refuses …'. */
  readonly name: string;
  readonly section: string;
  readonly refusal: Refusal;
} & (
  | { readonly request: (material: StatusMaterial) => StatusRequest }
  /** Octets for a connection of their own; the server must answer and close it. */
  | { readonly octets: (material: StatusMaterial) => string | Uint8Array }
);

/** An OCSP request by POST. */
export function post(body: Uint8Array): StatusRequest {
  return { body, contentType: 'application/ocsp-request' };
}

/** An OCSP request of which some fields are crafted; for the certificate that there is unless told. */
export function crafted(
  change: (material: StatusMaterial) => Partial<OcspRequestFields>,
): (material: StatusMaterial) => StatusRequest {
  return (material) => post(craftOcspRequest({ certificateIds: [material.certificateId], ...change(material) }));
}
