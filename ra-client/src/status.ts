// What is published about certificates, as the status gate gets it from the keep: signed answers and CRLs, ready to serve.
// It checks that what comes is whole (RFC 6960 §4.2.1, RFC 5280 §5.2.3), never whether it is right: the keep signed it.

import {
  CertificateStatusService as procedures,
  type StatusIssuer,
  type CrlScope as WireCrlScope,
} from '@gatehouse/proto/certificate-status';
import { type Caller, type CallOptions, callUnary } from './call.ts';
import { toBuffer } from './enrollment.ts';
import { fetchCrl } from './status-crl.ts';
import { incomplete, type SignedCrl, type Validity } from './status-messages.ts';
import { type StatusWatch, type WatchOptions, watchStatus } from './status-watch.ts';

export type {
  OcspResponder,
  SignedCrl,
  SignedResponseData,
  SignedStatus,
  StatusChanges,
  Validity,
} from './status-messages.ts';
export type { StatusPosition } from './status-watch.ts';
export type { StatusIssuer, StatusWatch, WatchOptions };

/** A CRL that is published. */
export type CrlScope = WireCrlScope;

/** What there is to publish. */
export type Publication = {
  readonly issuers: readonly StatusIssuer[];
  readonly scopes: readonly CrlScope[];
};

/** The content of one OCSP request. */
export type OcspQuery = {
  /** CertIDs, RFC 6960 §4.1.1, DER, 1 to 16. */
  readonly certificateIds: readonly Uint8Array[];
  /** RFC 9654; 1 to 128 octets. */
  readonly nonce?: Uint8Array | undefined;
};

/** An OCSPResponse. */
export type OcspAnswer = {
  /** DER; also one that carries no answer but an OCSPResponseStatus. */
  readonly response: Uint8Array;
  /** From when to when it holds; absent when it is not signed. */
  readonly validity: Validity | undefined;
};

/** The calls of the status gate. All of them fail with CoreError. */
export type StatusClient = {
  getPublication(options?: CallOptions): Promise<Publication>;
  /** Signs answers to requests that no pre-signed response fits; in the order of the queries, at most 16. */
  getOcspResponses(queries: readonly OcspQuery[], options?: CallOptions): Promise<readonly OcspAnswer[]>;
  /**
   * Streams the current CRL of a scope into a new file, and proves its length and its SHA-256. The file is gone again when
   * that fails.
   *
   * @throws {CoreError} `not-found` when there is none, `internal` when it came damaged
   */
  getCrl(scope: string, isDelta: boolean, file: string, options?: CallOptions): Promise<SignedCrl>;
  /** Follows everything that is signed, until it is closed: reconnects by itself, and goes on where it was. */
  watch(options: WatchOptions): StatusWatch;
};

const nothing = Buffer.alloc(0);

/** Creates the status gate's part of a client. */
export function createStatusClient(caller: Caller): StatusClient {
  return {
    getPublication: async (options) => {
      const { issuers, scopes } = await callUnary(caller, procedures.getPublication, {}, true, options);
      return { issuers, scopes };
    },
    getOcspResponses: async (queries, options) => {
      const request = {
        queries: queries.map(({ certificateIds, nonce }) => ({
          certificateIds: certificateIds.map(toBuffer),
          nonce: nonce === undefined ? nothing : toBuffer(nonce),
        })),
      };
      const { responses } = await callUnary(caller, procedures.getOcspResponses, request, true, options);
      if (responses.length !== queries.length) throw incomplete();
      return responses.map(({ response, thisUpdate, nextUpdate }) => ({
        response,
        validity: thisUpdate === undefined || nextUpdate === undefined ? undefined : { thisUpdate, nextUpdate },
      }));
    },
    getCrl: (scope, isDelta, file, options) => fetchCrl(caller, { scope, isDelta }, file, options),
    watch: (options) => watchStatus(caller, options),
  };
}
