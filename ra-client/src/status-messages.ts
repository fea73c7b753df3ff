// What the keep signs about certificates, in the house's types: nothing is optional that the contract promises, so that a
// gate never serves half of something. An incomplete message is the keep's fault, and told so.

import type {
  CrlFacts,
  OcspResponder,
  PreSignedResponse,
  SignedResponseData,
  StatusChanges as WireStatusChanges,
} from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';

export type { OcspResponder, SignedResponseData };

/** From when to when something that was signed is current. */
export type Validity = { readonly thisUpdate: Date; readonly nextUpdate: Date };

/** Facts about a signed CRL. */
export type SignedCrl = Validity & {
  readonly scope: string;
  readonly isDelta: boolean;
  /** Name of the issuing authority. */
  readonly authority: string;
  /** RFC 5280 §5.2.3; strictly increasing in a scope, deltas included. */
  readonly crlNumber: number;
  /** RFC 5280 §5.2.4; undefined for a complete CRL. */
  readonly baseCrlNumber: number | undefined;
  /** Revoked certificates on it. */
  readonly entries: number;
  /** Octets. */
  readonly size: number;
  /** Of the CertificateList. */
  readonly sha256: Uint8Array;
};

/** The status of one certificate, signed for both kinds of CertID. */
export type SignedStatus = Validity & {
  /** Name of the issuing authority. */
  readonly authority: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the responder's certificate. */
  readonly responderId: Uint8Array;
  readonly sha1: SignedResponseData;
  readonly sha256: SignedResponseData;
};

/** What was signed, in the order of positions. */
export type StatusChanges = {
  readonly epoch: string;
  /** With this the reader has everything up to and including this position. */
  readonly position: number;
  /** Responders that the following responses name. */
  readonly responders: readonly OcspResponder[];
  readonly responses: readonly SignedStatus[];
  readonly crls: readonly SignedCrl[];
  /** Nothing more was there when this was sent. */
  readonly isCurrent: boolean;
};

/** The house's form of a message of WatchStatus. @throws {CoreError} `internal` when the keep broke the contract */
export function toStatusChanges(message: WireStatusChanges): StatusChanges {
  const { epoch, position, responders, responses, crls, isCurrent } = message;
  if (epoch === '') throw incomplete();
  return {
    epoch,
    position,
    responders,
    responses: responses.map(toSignedStatus),
    crls: crls.map(toSignedCrl),
    isCurrent,
  };
}

/** The house's form of the facts about a CRL. @throws {CoreError} `internal` when the keep broke the contract */
export function toSignedCrl({ baseCrlNumber, thisUpdate, nextUpdate, ...facts }: CrlFacts): SignedCrl {
  if (thisUpdate === undefined || nextUpdate === undefined || facts.sha256.length !== 32) throw incomplete();
  return { ...facts, thisUpdate, nextUpdate, baseCrlNumber: facts.isDelta ? baseCrlNumber : undefined };
}

function toSignedStatus({ sha1, sha256, thisUpdate, nextUpdate, ...rest }: PreSignedResponse): SignedStatus {
  if (sha1 === undefined || sha256 === undefined || thisUpdate === undefined || nextUpdate === undefined) {
    throw incomplete();
  }
  return { ...rest, sha1, sha256, thisUpdate, nextUpdate };
}

/** What the keep sent lacks something that the contract promises. */
export function incomplete(): CoreError {
  return new CoreError('internal', 'the CA core gave an incomplete answer');
}
