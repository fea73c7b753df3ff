// Whether an OCSP response may be believed (RFC 6960 §3.2): signed by the issuer of the certificates or by a responder
// that the issuer itself has charged with it, about certificates of that issuer, and current. It must never take the word
// of a responder that another CA has charged. Nonce and serial number are compared by whoever asked.
import { type Certificate, extensionOf } from '../certificate.ts';
import { validatePath } from '../certification-path.ts';
import { PkixError } from '../errors.ts';
import { readExtendedKeyUsage, readKeyUsage } from '../extensions.ts';
import { areNamesEqual } from '../names.ts';
import { extensionIds, keyPurposes } from '../object-identifiers.ts';
import { verifySignature } from '../signature-algorithms.ts';
import { isIssuedBy, issuerHashes } from './certificate-id.ts';
import type { BasicOcspResponse, OcspResponseContents } from './response-contents.ts';

/** What the answer is held against. */
export type OcspVerificationInput = {
  /** The CA that issued the certificates that were asked for; it is trusted. */
  readonly issuer: Certificate;
  /** The instant at which the answer must hold. */
  readonly now: Date;
};

/** `responder` is whose key has signed: the issuer, or its delegate. `reason` is one line. */
export type OcspVerification =
  | { readonly ok: true; readonly responder: Certificate }
  | { readonly ok: false; readonly reason: string };

/** Verifies a response; never throws for what is in it. */
export function verifyOcspResponse(
  response: OcspResponseContents,
  { issuer, now }: OcspVerificationInput,
): OcspVerification {
  if (response.status !== 'successful') return { ok: false, reason: `the responder answered ${response.status}` };
  // A name may stand for several keys of a responder; the answer to a hash of the key is one.
  const responders = [issuer, ...response.certificates].filter((certificate) => isNamed(response, certificate));
  const wrongSingle = findWrongSingle(response, issuer, now);
  if (wrongSingle !== undefined) return { ok: false, reason: wrongSingle };
  let reason: string | undefined;
  for (const responder of responders) {
    const fault =
      findWrongSignature(response, responder) ??
      (isSame(responder, issuer) ? undefined : findMissingDelegation(responder, issuer, now));
    if (fault === undefined) return { ok: true, responder };
    reason ??= fault;
  }
  return { ok: false, reason: reason ?? "the responder's certificate is not in its response" };
}

function isSame(a: Certificate, b: Certificate): boolean {
  return Buffer.compare(a.der, b.der) === 0;
}

function isNamed({ responderId }: BasicOcspResponse, certificate: Certificate): boolean {
  if (responderId.kind === 'by-name') return areNamesEqual(responderId.name, certificate.subject);
  try {
    return Buffer.compare(responderId.keyHash, issuerHashes('sha1', certificate).key) === 0;
  } catch (error) {
    if (error instanceof PkixError) return false;
    throw error;
  }
}

function findWrongSignature(response: BasicOcspResponse, responder: Certificate): string | undefined {
  const result = verifySignature({
    algorithm: response.signatureAlgorithm,
    spki: responder.subjectPublicKeyInfo,
    data: response.responseData,
    signature: response.signature,
  });
  return result.ok ? undefined : `OCSP response: ${result.reason}`;
}

// RFC 6960 §4.2.2.2: issued directly by the CA, and with id-kp-OCSPSigning; anyExtendedKeyUsage is not enough.
function findMissingDelegation(responder: Certificate, issuer: Certificate, now: Date): string | undefined {
  const path = validatePath({ certificate: responder, intermediates: [], anchors: [issuer], at: now });
  if (!path.ok) return `the responder: ${path.reason}`;
  try {
    const purposes = extensionOf(responder, extensionIds.extendedKeyUsage);
    if (purposes === undefined || !readExtendedKeyUsage(purposes.value).includes(keyPurposes.OCSPSigning)) {
      return 'the responder has no certificate for signing OCSP responses';
    }
    const usage = extensionOf(responder, extensionIds.keyUsage);
    // RFC 5280 §4.2.1.12: consistent with OCSPSigning are digitalSignature and nonRepudiation.
    const isSigner =
      usage === undefined ||
      readKeyUsage(usage.value).some((name) => name === 'digitalSignature' || name === 'nonRepudiation');
    return isSigner ? undefined : "the responder's key may not sign";
  } catch (error) {
    if (error instanceof PkixError) return `the responder: ${error.detail}`;
    throw error;
  }
}

function findWrongSingle({ singles }: BasicOcspResponse, issuer: Certificate, now: Date): string | undefined {
  for (const { certificateId, thisUpdate, nextUpdate } of singles) {
    if (!isIssuedBy(certificateId, issuer)) return 'the response is about a certificate of another issuer';
    if (thisUpdate > now) return `the response holds from ${thisUpdate.toISOString()} only`;
    if (nextUpdate !== undefined && nextUpdate < now) return `the response held until ${nextUpdate.toISOString()}`;
  }
  return undefined;
}
