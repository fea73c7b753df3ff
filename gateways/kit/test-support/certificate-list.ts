// Builds CRLs of manufacturers for tests, RFC 5280 §5.1.

import type { KeyObject } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import { type Extension, writeExtensions } from '@gatehouse/pkix/extensions';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

const day = 86_400_000;

/** What a CRL holds. */
export type CertificateListShape = {
  readonly key: KeyObject;
  /** Certificate of the CA whose name the CRL carries, DER. */
  readonly issuer: Uint8Array;
  readonly thisUpdate?: Date;
  readonly nextUpdate: Date;
  /** Serial numbers, hexadecimal. */
  readonly revoked?: readonly string[];
  readonly extensions?: readonly Extension[];
};

/** A CRL, DER. */
export function signCertificateList(shape: CertificateListShape): Uint8Array {
  const { key, issuer, nextUpdate, revoked = [], extensions = [] } = shape;
  const { thisUpdate = new Date(Date.now() - 2 * day) } = shape;
  const { identifier, sign } = signatureAlgorithmFor(key);
  const entries = revoked.map((serial) => sequence(integer(BigInt(`0x${serial}`)), time(new Date(Date.now() - day))));
  const tbs = sequence(
    ...(extensions.length === 0 ? [] : [integer(1)]),
    identifier,
    readCertificate(issuer).subjectDer,
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [explicit(0, writeExtensions(extensions))]),
  );
  return sequence(tbs, identifier, bitString(sign(tbs)));
}
