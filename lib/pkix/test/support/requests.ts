// Builds certification requests for tests, right ones and wrong ones, and proves how they are refused.
import assert from 'node:assert/strict';
import { type CertificationRequest, CertificationRequestError } from '../../src/certification-request.ts';
import { bitString, concat, integer, objectIdentifier, sequence, set, wrap } from '../../src/der/writer.ts';
import { parseName, writeName } from '../../src/names.ts';
import { pkcs9Attributes } from '../../src/object-identifiers.ts';
import { signatureAlgorithmFor, type Verification, verifySignature } from '../../src/signature-algorithms.ts';
import { newKey, spkiOf } from './certificates.ts';

/** The key of all requests made here. */
export const requestKey = newKey();

/** A request, signed, of parts that may be wrong. */
export function makeRequest(
  parts: {
    readonly version?: number;
    readonly subject?: Uint8Array;
    readonly attributes?: readonly Uint8Array[];
    readonly after?: Uint8Array;
  } = {},
): Uint8Array {
  const { identifier, sign } = signatureAlgorithmFor(requestKey);
  const info = sequence(
    integer(parts.version ?? 0),
    parts.subject ?? writeName(parseName('CN=device')),
    spkiOf(requestKey),
    wrap(0xa0, concat(...(parts.attributes ?? []))),
    ...(parts.after === undefined ? [] : [parts.after]),
  );
  return sequence(info, identifier, bitString(sign(info)));
}

/** An attribute with these values. */
export function attribute(type: string, ...values: readonly Uint8Array[]): Uint8Array {
  return sequence(objectIdentifier(type), set(...values));
}

/** An extension request with these values. */
export function extensionRequest(...values: readonly Uint8Array[]): Uint8Array {
  return attribute(pkcs9Attributes.extensionRequest, ...values);
}

/** Verifies the signature of a request by its own key. */
export function verifyRequest(request: CertificationRequest): Verification {
  const { signatureAlgorithm, subjectPublicKeyInfo, info, signature } = request;
  return verifySignature({ algorithm: signatureAlgorithm, spki: subjectPublicKeyInfo, data: info, signature });
}

/** Proves that a request is refused with this code and detail. */
export function refuses(code: 'malformed' | 'bad-csr', detail: RegExp, read: () => unknown): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof CertificationRequestError, String(error));
    assert.equal(error.code, code, error.detail);
    assert.match(error.detail, detail);
    return true;
  });
}
