// Builds OCSP responses for tests, right ones and wrong ones, out of the package's own writers.
import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../../src/certificate.ts';
import { explicit, generalizedTime, octetString, sequence } from '../../src/der/writer.ts';
import { type Extension, writeExtensions } from '../../src/extensions.ts';
import { issuerHashes, writeCertificateId } from '../../src/ocsp/certificate-id.ts';
import { composeOcspResponse } from '../../src/ocsp/response.ts';
import { signatureAlgorithmFor } from '../../src/signature-algorithms.ts';
import type { Identity } from '../support/certificates.ts';

/** `[0] IMPLICIT NULL` of CertStatus: good. */
export const good = Uint8Array.of(0x80, 0x00);

/** A SingleResponse of parts that may be wrong. */
export function makeSingle(parts: {
  readonly issuer: Certificate;
  readonly serialNumber?: string;
  readonly status?: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  readonly extensions?: readonly Extension[];
}): Uint8Array {
  const { issuer, serialNumber = '2a01', status = good, thisUpdate, nextUpdate, extensions } = parts;
  return sequence(
    writeCertificateId('sha256', issuer, serialNumber),
    status,
    generalizedTime(thisUpdate),
    ...(nextUpdate === undefined ? [] : [explicit(0, generalizedTime(nextUpdate))]),
    ...(extensions === undefined ? [] : [explicit(1, writeExtensions(extensions))]),
  );
}

/** A ResponseData of parts that may be wrong. */
export function makeResponseData(parts: {
  readonly version?: Uint8Array;
  readonly responderId: Uint8Array;
  readonly producedAt: Date;
  readonly singles: readonly Uint8Array[];
  readonly extensions?: readonly Extension[];
}): Uint8Array {
  const { version, responderId, producedAt, singles, extensions } = parts;
  return sequence(
    ...(version === undefined ? [] : [explicit(0, version)]),
    responderId,
    generalizedTime(producedAt),
    sequence(...singles),
    ...(extensions === undefined ? [] : [explicit(1, writeExtensions(extensions))]),
  );
}

/** ResponderID by key. */
export function byKey(responder: Certificate): Uint8Array {
  return explicit(2, octetString(issuerHashes('sha1', responder).key));
}

/** ResponderID by name. */
export function byName(responder: Certificate): Uint8Array {
  return explicit(1, responder.subjectDer);
}

/** The response around a ResponseData, signed by a key, with these certificates. */
export function signResponse(responseData: Uint8Array, key: KeyObject, certificates: readonly Identity[]): Buffer {
  const { identifier, sign } = signatureAlgorithmFor(key);
  return composeOcspResponse({
    responseData,
    signatureAlgorithm: identifier,
    signature: sign(responseData),
    certificates: certificates.map(({ certificate }) => certificate.der),
  });
}
