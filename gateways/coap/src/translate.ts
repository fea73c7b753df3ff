// From the outcome of an operation of EST to a response of CoAP, RFC 9148 §4.3 to §4.8: codes, content formats and Max-Age.
// Payloads are DER, never base64; a CSR goes to the keep as it came.

import type { IssuedKey } from '@gatehouse/gateway-kit/est/server-key-generation';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { contentFormats } from './content-formats.ts';
import { toDiagnostic, toMaxAge } from './errors.ts';
import { responseCodes } from './message/codes.ts';
import { writeMultipart } from './multipart.ts';
import type { CoapResponse } from './request.ts';

/** The response to an enrollment that was not refused. */
export function answerOutcome(outcome: EnrollmentOutcome, format: number): CoapResponse {
  if (outcome.kind === 'pending') return answerPending(outcome.retryAfterSeconds);
  return {
    code: responseCodes.changed,
    contentFormat: format,
    payload: inFormat(outcome.certificate, format),
    outcome: outcome.isRepeated ? 'issued before' : 'issued',
  };
}

/** RFC 9148 §4.7: 5.03, and Max-Age says when the same request is to come again. */
export function answerPending(retryAfterSeconds: number): CoapResponse {
  return {
    code: responseCodes.serviceUnavailable,
    payload: toDiagnostic('the request waits for approval'),
    maxAgeSeconds: toMaxAge(retryAfterSeconds),
    outcome: 'pending',
  };
}

/**
 * The response with a generated key, RFC 9148 §4.3 and §4.8. The key is held until it is known whether the client has got it.
 *
 * @param certificateFormat of the part beside the key
 */
export function answerGeneratedKey(issued: IssuedKey, certificateFormat: number): CoapResponse {
  const { key, certificate } = issued;
  const keyFormat = key.isEncrypted ? contentFormats.serverGeneratedKey : contentFormats.privateKey;
  const payload = writeMultipart([
    { contentFormat: keyFormat, content: key.der },
    { contentFormat: certificateFormat, content: inFormat(certificate, certificateFormat) },
  ]);
  key.der.fill(0);
  return {
    code: responseCodes.changed,
    contentFormat: contentFormats.multipart,
    payload,
    isSecret: true,
    onDelivered: () => issued.delivered(),
    onUndelivered: () => issued.undelivered(),
    outcome: 'issued with a generated key',
  };
}

/** A response with a document that anybody under the label may have. */
export function answerDocument(document: Uint8Array, format: number): CoapResponse {
  return { code: responseCodes.content, contentFormat: format, payload: document, outcome: 'sent' };
}

function inFormat(certificate: Uint8Array, format: number): Uint8Array {
  return format === contentFormats.certificate ? certificate : certificatesOnly([certificate]);
}
