// What a row of the table of broken inputs is, and the short words that the rows are written in.

import type { BrokenMaterial } from '../broken-material.ts';
import { alternativeNameExtension, type CraftedFields, craftRequest, extensionRequest } from '../crafted-request.ts';
import { toBase64 } from '../curl/enroll.ts';
import type { CurlRequest } from '../curl/request.ts';

/** One broken input. What `request` leaves out is as the plainest enrollment has it. */
export type BrokenInput = {
  /** Completes 'refuses …'. */
  readonly name: string;
  readonly section: string;
  readonly status: number;
  /** A header field that the answer must have. */
  readonly header?: readonly [name: string, form: RegExp] | undefined;
} & (
  | { readonly request: (material: BrokenMaterial) => Partial<CurlRequest> | Promise<Partial<CurlRequest>> }
  /** Octets for a connection of their own; the server must answer and close it. */
  | { readonly octets: (material: BrokenMaterial) => string }
);

/** RFC 7617 §2: what a 401 asks for. */
export const challenge = ['www-authenticate', /^Basic realm="[^"]+", charset="UTF-8"$/] as const;
/** RFC 9112 §9.6: no further request is read from this connection. */
export const closed = ['connection', /^close$/i] as const;

/** Base64 of DER as a body. */
export function body(octets: Uint8Array): Partial<CurlRequest> {
  return { body: toBase64(octets) };
}

/** A request of which some fields are crafted. */
export function crafted(fields: CraftedFields): () => Partial<CurlRequest> {
  return () => body(craftRequest(fields));
}

/** A request for these DNS names, octet by octet. */
export function withNames(...dnsNames: readonly (string | Uint8Array)[]): () => Partial<CurlRequest> {
  return crafted({ attributes: [extensionRequest(alternativeNameExtension(...dnsNames))] });
}

/** A request with a key that `openssl genpkey` makes of these parameters. */
export function withKey(parameters: readonly string[], digest?: string) {
  return async (material: BrokenMaterial) => body(await material.requestWithKey(parameters, digest));
}
