// From a body of EST to the CSR in it, and from what became of it back to an answer of EST: media types, base64 and status
// codes. What an operation does is the same for all gates of EST, and stands in the kit.

import { writeCsrAttributes } from '@gatehouse/gateway-kit/est/csr-attributes';
import { maximumRequestOctets, readRequest } from '@gatehouse/gateway-kit/est/enrollment';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { GeneratedKeyOutcome, IssuedKey } from '@gatehouse/gateway-kit/est/server-key-generation';
import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { decodeBody, encodeBody, TransferEncodingError } from '@gatehouse/pkix/transfer-encoding';
import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import type { EstAnswer, EstExchange } from './exchange.ts';
import type { EstGate } from './gate.ts';
import { writeKeyAndCertificate } from './multipart.ts';

const certificatesOnlyType = 'application/pkcs7-mime; smime-type=certs-only';
const encryptedKeyType = 'application/pkcs7-mime; smime-type=server-generated-key';
const pemLabels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/**
 * Reads the CSR in a body: base64 with or without line breaks, PEM or DER (RFC 8951 §3).
 *
 * @throws {EstError} `malformed` naming what is wrong, `too-large`
 */
export function readRequestBody(body: Uint8Array): CertificationRequest {
  return readRequest(decode(body));
}

function decode(body: Uint8Array): Uint8Array {
  try {
    return decodeBody(body, { pemLabels, maximumDer: maximumRequestOctets });
  } catch (error) {
    if (error instanceof TransferEncodingError) throw new EstError(error.code, error.detail, { cause: error });
    throw error;
  }
}

/** The answer to GET /cacerts, RFC 7030 §4.1.3. @throws {CoreError} */
export async function answerCaCertificates({ caCertificates }: Pick<EstGate, 'caCertificates'>): Promise<EstAnswer> {
  const store = await caCertificates.current();
  return { status: 200, contentType: certificatesOnlyType, body: encodeBody(store.certificatesOnly), outcome: 'sent' };
}

/** Answers GET /csrattrs: 200, or 204 when there is nothing to say. @throws {CoreError} */
export async function answerCsrAttributes(gate: EstGate, { label }: EstExchange): Promise<EstAnswer> {
  const attributes = writeCsrAttributes(await gate.profiles.get(label.profile), label);
  if (attributes === undefined) return { status: 204, outcome: 'nothing to say' };
  return { status: 200, contentType: 'application/csrattrs', body: encodeBody(attributes), outcome: 'sent' };
}

/** The answer to an enrollment that was not refused: the certificate alone (RFC 7030 §4.2.3), or 202. */
export function answerOutcome(outcome: EnrollmentOutcome): EstAnswer {
  if (outcome.kind === 'pending') return answerPending(outcome.retryAfterSeconds);
  return {
    status: 200,
    contentType: certificatesOnlyType,
    body: encodeBody(certificatesOnly([outcome.certificate])),
    outcome: outcome.isRepeated ? 'issued before' : 'issued',
  };
}

/** RFC 7030 §4.2.3: 202 with Retry-After, in seconds. */
export function answerPending(retryAfterSeconds: number): EstAnswer {
  return {
    status: 202,
    contentType: 'text/plain; charset=utf-8',
    body: 'the request waits for approval\n',
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) },
    outcome: 'pending',
  };
}

/** The answer to POST /serverkeygen: key and certificate as multipart, RFC 7030 §4.4.2; or 202. */
export async function answerGeneratedKey(outcome: GeneratedKeyOutcome): Promise<EstAnswer> {
  if (outcome.kind === 'pending') return answerPending(outcome.retryAfterSeconds);
  try {
    const { contentType, body } = writeIssuedKey(outcome);
    // From here on the answer has the only copy; when it cannot be written, the certificate is revoked.
    outcome.delivered();
    return {
      status: 200,
      contentType,
      body,
      headers: { 'cache-control': 'no-store' },
      outcome: 'issued with a generated key',
      onUndelivered: () => outcome.undelivered(),
    };
  } catch (error) {
    await outcome.undelivered();
    throw error;
  }
}

function writeIssuedKey({ key, certificate }: IssuedKey): { readonly contentType: string; readonly body: string } {
  try {
    const keyPart = { contentType: key.isEncrypted ? encryptedKeyType : 'application/pkcs8', der: key.der };
    return writeKeyAndCertificate(keyPart, certificatesOnly([certificate]));
  } finally {
    key.der.fill(0);
  }
}
