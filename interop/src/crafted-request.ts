// Certification requests (RFC 2986) that no tool makes: each field can be anything, and the signature is right all the
// same, so that nothing but the field at fault can be the reason of a refusal. Never used for a request that shall pass.

import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  concat,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  wrap,
} from '@gatehouse/pkix/der/writer';
import { algorithms, attributeTypes, extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';

/** The fields; what is left out is as it should be. */
export type CraftedFields = {
  readonly version?: number | undefined;
  /** RDNSequence, DER. */
  readonly subject?: Uint8Array | undefined;
  /** SubjectPublicKeyInfo, DER, of another key than the one that signs. */
  readonly subjectPublicKeyInfo?: Uint8Array | undefined;
  /** Attributes, DER each. */
  readonly attributes?: readonly Uint8Array[] | undefined;
  /** Octets behind the last field of the CertificationRequestInfo. */
  readonly behindInfo?: Uint8Array | undefined;
};

/** A request for broken.example.com, DER, signed by a P-256 key of its own with all of the fields in it. */
export function craftRequest(fields: CraftedFields): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { version = 0, subject = commonName('broken.example.com'), attributes = [alternativeNames()] } = fields;
  const info = sequence(
    integer(version),
    subject,
    fields.subjectPublicKeyInfo ?? spkiOf(privateKey),
    wrap(0xa0, ...attributes),
    fields.behindInfo ?? new Uint8Array(0),
  );
  const algorithm = sequence(objectIdentifier(algorithms.ecdsaWithSHA256));
  return sequence(info, algorithm, bitString(sign('sha256', info, privateKey)));
}

/** SubjectPublicKeyInfo of a new P-256 key, DER. */
export function otherKey(): Uint8Array {
  return spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** A Name of one common name; `octets` are the contents of a UTF8String and need not be UTF-8. */
export function commonName(octets: string | Uint8Array): Uint8Array {
  return sequence(set(sequence(objectIdentifier(attributeTypes.CN), wrap(0x0c, Buffer.from(octets)))));
}

/** An extension request (RFC 2985 §5.4.2) of these extensions, DER each. */
export function extensionRequest(...extensions: readonly Uint8Array[]): Uint8Array {
  return attribute(pkcs9Attributes.extensionRequest, sequence(...extensions));
}

/** An attribute of one value. */
export function attribute(type: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(type), set(value));
}

/** A subjectAltName extension whose names are these dNSNames, octet by octet. */
export function alternativeNameExtension(...names: readonly (string | Uint8Array)[]): Uint8Array {
  const dnsNames = names.map((name) => wrap(0x82, Buffer.from(name)));
  return sequence(objectIdentifier(extensionIds.subjectAlternativeName), octetString(sequence(...dnsNames)));
}

/** An extension with these contents. */
export function extension(id: string, contents: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), octetString(contents));
}

/** DER that is nothing but SEQUENCE in SEQUENCE. */
export function nested(depth: number): Uint8Array {
  let der: Uint8Array = new Uint8Array(0);
  for (let level = 0; level < depth; level++) der = sequence(der);
  return der;
}

/** The same SEQUENCE with indefinite length, which BER has and DER has not (X.690 §10.1). */
export function withIndefiniteLength(der: Uint8Array): Uint8Array {
  const lengthOctets = (der[1] ?? 0) < 0x80 ? 1 : 1 + ((der[1] ?? 0) & 0x7f);
  return concat(Uint8Array.of(0x30, 0x80), der.subarray(1 + lengthOctets), Uint8Array.of(0, 0));
}

function alternativeNames(): Uint8Array {
  return extensionRequest(alternativeNameExtension('broken.example.com'));
}

function spkiOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}
