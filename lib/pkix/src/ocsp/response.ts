// OCSP responses as they go out (RFC 6960 §4.2.1): the envelope around what was signed, and the answers without a
// signature. The status gate puts tens of thousands of them together in a second, so there is one allocation and no more
// than one copy of each part. Nothing is signed or judged here.

/** The parts of a BasicOCSPResponse; all DER but `signature`, which is what stands inside of the BIT STRING. */
export type OcspResponseParts = {
  readonly responseData: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** The delegated responder's certificate first; empty when the CA's own key has signed. */
  readonly certificates: readonly Uint8Array[];
};

/** OCSPResponseStatus (RFC 6960 §4.2.1) by name; 4 is not used. */
export const ocspResponseStatuses = {
  successful: 0,
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const;
/** Name of an OCSPResponseStatus. */
export type OcspResponseStatus = keyof typeof ocspResponseStatuses;
/** An OCSPResponseStatus without a response behind it. */
export type OcspErrorStatus = Exclude<OcspResponseStatus, 'successful'>;

/** ENUMERATED 0: successful. */
const successful = Uint8Array.of(0x0a, 0x01, 0x00);
/** OBJECT IDENTIFIER id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1. */
const basic = Uint8Array.of(0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01);

// Octets of a whole element with contents of this length.
function elementLength(length: number): number {
  return length + (length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6);
}

// Writes identifier and length octets; gives where the contents start.
function writeHead(target: Buffer, at: number, tag: number, length: number): number {
  target[at++] = tag;
  if (length < 0x80) {
    target[at++] = length;
    return at;
  }
  const octets = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  target[at++] = 0x80 | octets;
  for (let shift = (octets - 1) * 8; shift >= 0; shift -= 8) target[at++] = length >>> shift;
  return at;
}

/**
 * Puts a successful OCSPResponse together.
 *
 * @example response.end(composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates: [responder] }));
 */
export function composeOcspResponse(parts: OcspResponseParts): Buffer {
  const { responseData, signatureAlgorithm, signature, certificates } = parts;
  let certificatesLength = 0;
  for (const certificate of certificates) certificatesLength += certificate.length;
  const certificatesSequence = elementLength(certificatesLength);
  const certificatesField = certificates.length === 0 ? 0 : elementLength(certificatesSequence);
  const bitStringLength = 1 + signature.length;
  const basicResponseLength =
    responseData.length + signatureAlgorithm.length + elementLength(bitStringLength) + certificatesField;
  const octetStringLength = elementLength(basicResponseLength);
  const responseBytesLength = basic.length + elementLength(octetStringLength);
  const explicitLength = elementLength(responseBytesLength);
  const responseLength = successful.length + elementLength(explicitLength);

  const response = Buffer.allocUnsafe(elementLength(responseLength));
  let at = writeHead(response, 0, 0x30, responseLength);
  response.set(successful, at);
  at = writeHead(response, at + successful.length, 0xa0, explicitLength);
  at = writeHead(response, at, 0x30, responseBytesLength);
  response.set(basic, at);
  at = writeHead(response, at + basic.length, 0x04, octetStringLength);
  at = writeHead(response, at, 0x30, basicResponseLength);
  response.set(responseData, at);
  at += responseData.length;
  response.set(signatureAlgorithm, at);
  at = writeHead(response, at + signatureAlgorithm.length, 0x03, bitStringLength);
  response[at++] = 0;
  response.set(signature, at);
  at += signature.length;
  if (certificates.length === 0) return response;
  at = writeHead(response, at, 0xa0, certificatesSequence);
  at = writeHead(response, at, 0x30, certificatesLength);
  for (const certificate of certificates) {
    response.set(certificate, at);
    at += certificate.length;
  }
  return response;
}

function writeError(status: OcspErrorStatus): Uint8Array {
  return Uint8Array.of(0x30, 0x03, 0x0a, 0x01, ocspResponseStatuses[status]);
}

const errorResponses: Readonly<Record<OcspErrorStatus, Uint8Array>> = {
  malformedRequest: writeError('malformedRequest'),
  internalError: writeError('internalError'),
  tryLater: writeError('tryLater'),
  sigRequired: writeError('sigRequired'),
  unauthorized: writeError('unauthorized'),
};

/** An OCSPResponse without responseBytes (RFC 6960 §4.2.1), DER; the bytes are shared between calls and must not be changed. */
export function ocspErrorResponse(status: OcspErrorStatus): Uint8Array {
  return errorResponses[status];
}
