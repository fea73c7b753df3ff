// OCSP requests (RFC 6960 §4.1.1) that no tool makes: each field can be anything, so that nothing but the field at fault
// can be the reason of an answer. What is left out is as openssl would write it.

import { open, readOnly, tags } from '@gatehouse/pkix/der/reader';
import {
  boolean,
  concat,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
} from '@gatehouse/pkix/der/writer';
import { algorithms, ocspIds } from '@gatehouse/pkix/object-identifiers';

/** Fields of a CertID, each a whole element, DER. */
export type CertIdFields = {
  readonly hashAlgorithm: Uint8Array;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serialNumber: Uint8Array;
};

/** Fields of the request. */
export type OcspRequestFields = {
  /** Value of the version; it is left out unless given, as DER has it. */
  readonly version?: number | undefined;
  /** CertIDs, DER each. */
  readonly certificateIds: readonly Uint8Array[];
  /** Extensions of each certificate, DER each. */
  readonly singleExtensions?: readonly Uint8Array[] | undefined;
  /** Extensions of the request, DER each. */
  readonly extensions?: readonly Uint8Array[] | undefined;
  /** Octets behind the last field of the TBSRequest. */
  readonly behindFields?: Uint8Array | undefined;
  /** Contents of the signature's field. */
  readonly signature?: Uint8Array | undefined;
};

/** Writes the request. */
export function craftOcspRequest(fields: OcspRequestFields): Uint8Array {
  const { version, certificateIds, singleExtensions, extensions, behindFields, signature } = fields;
  const single = singleExtensions === undefined ? [] : [explicit(0, sequence(...singleExtensions))];
  const tbsRequest = sequence(
    ...(version === undefined ? [] : [explicit(0, integer(version))]),
    sequence(...certificateIds.map((certificateId) => sequence(certificateId, ...single))),
    ...(extensions === undefined ? [] : [explicit(2, sequence(...extensions))]),
    behindFields ?? new Uint8Array(0),
  );
  return sequence(tbsRequest, ...(signature === undefined ? [] : [explicit(0, signature)]));
}

/** The fields of the first CertID of a request that is in order. @throws {DerError} */
export function certIdFields(request: Uint8Array): CertIdFields {
  const requestList = open(request, tags.sequence).enter(tags.sequence).enter(tags.sequence);
  const certificateId = requestList.enter(tags.sequence).enter(tags.sequence);
  const next = () => Uint8Array.from(certificateId.read().raw);
  return { hashAlgorithm: next(), issuerNameHash: next(), issuerKeyHash: next(), serialNumber: next() };
}

/** A CertID of these fields; a field that is undefined is not there. */
export function craftCertId(fields: { readonly [name in keyof CertIdFields]: Uint8Array | undefined }): Uint8Array {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = fields;
  const parts = [hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber];
  return sequence(...parts.filter((part) => part !== undefined));
}

/** A hash algorithm with these parameters. */
export function hashAlgorithm(oid: string, parameters: Uint8Array = nullValue()): Uint8Array {
  return sequence(objectIdentifier(oid), parameters);
}

/** SHA-1. */
export const sha1 = algorithms.sha1;

/** An OCTET STRING whose first octet is another one. */
export function spoilHash(element: Uint8Array): Uint8Array {
  const spoilt = Uint8Array.from(readOnly(element, tags.octetString).contents);
  spoilt[0] = (spoilt[0] ?? 0) ^ 0xff;
  return octetString(spoilt);
}

/** An extension with this value, critical or not. */
export function ocspExtension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(objectIdentifier(id), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

/** A nonce, RFC 9654 §2.1; `value` is what stands in the extension. */
export function nonce(value: Uint8Array): Uint8Array {
  return ocspExtension(ocspIds.nonce, value);
}

/** `octets` with one more behind them. */
export function withTrail(octets: Uint8Array): Uint8Array {
  return concat(octets, Uint8Array.of(0));
}
