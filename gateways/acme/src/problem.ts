// Problem documents, RFC 7807 as RFC 8555 §6.7 uses them: the types with their HTTP statuses in one table, and how a
// document is written. A detail tells a person what to do; it holds nothing of the inside of the house.

import type { JsonObject } from '@gatehouse/pkix/jose/json';

/**
 * Types of problems and the HTTP status of each, RFC 8555 §6.7, RFC 9773 §7.4 (alreadyReplaced) and
 * draft-ietf-acme-profiles §6 (invalidProfile). `connection`, `dns`, `tls` and `incorrectResponse` stand in challenges.
 */
export const problemStatuses = {
  accountDoesNotExist: 400,
  alreadyReplaced: 409,
  alreadyRevoked: 400,
  badCSR: 400,
  badNonce: 400,
  badPublicKey: 400,
  badRevocationReason: 400,
  badSignatureAlgorithm: 400,
  caa: 403,
  compound: 400,
  connection: 400,
  dns: 400,
  externalAccountRequired: 403,
  incorrectResponse: 403,
  invalidContact: 400,
  invalidProfile: 400,
  malformed: 400,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  serverInternal: 500,
  tls: 400,
  unauthorized: 403,
  unsupportedContact: 400,
  unsupportedIdentifier: 400,
  userActionRequired: 403,
} as const satisfies Readonly<Record<string, number>>;

/** A type without its prefix. */
export type ProblemType = keyof typeof problemStatuses;

/** RFC 8555 §9.7.7. */
export type Identifier = { readonly type: string; readonly value: string };

/** What is wrong with one identifier, RFC 8555 §6.7.1. */
export type Subproblem = {
  readonly type: ProblemType;
  readonly detail: string;
  readonly identifier?: Identifier | undefined;
};

/** What a problem document says. */
export type Problem = {
  readonly type: ProblemType;
  readonly detail: string;
  /** The status of its type unless told. */
  readonly status?: number | undefined;
  readonly subproblems?: readonly Subproblem[] | undefined;
  /** RFC 8555 §6.2: what `badSignatureAlgorithm` would have taken. */
  readonly algorithms?: readonly string[] | undefined;
};

const prefix = 'urn:ietf:params:acme:error:';

/** The type as it stands in documents. */
export function problemUrn(type: ProblemType): string {
  return prefix + type;
}

/** The document as JSON: for an answer, for the error of an order, for the error of a challenge. */
export function writeProblem({ type, detail, status, subproblems, algorithms }: Problem): JsonObject {
  return {
    type: problemUrn(type),
    detail: printable(detail),
    status: status ?? problemStatuses[type],
    ...(algorithms === undefined ? {} : { algorithms: [...algorithms] }),
    ...(subproblems === undefined || subproblems.length === 0 ? {} : { subproblems: subproblems.map(writeSubproblem) }),
  };
}

function writeSubproblem({ type, detail, identifier }: Subproblem): JsonObject {
  return {
    type: problemUrn(type),
    detail: printable(detail),
    ...(identifier === undefined
      ? {}
      : { identifier: { type: printable(identifier.type), value: printable(identifier.value) } }),
  };
}

/** Longest text in a document that may repeat what somebody else sent. */
const longestText = 1_024;

/** One line without control characters: details repeat what clients, DNS and web servers sent. */
export function printable(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim();
  return line.length <= longestText ? line : `${line.slice(0, longestText)}…`;
}
