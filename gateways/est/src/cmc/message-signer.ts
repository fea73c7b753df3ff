// Who signed a Full PKI Request, RFC 5272 §3.2: the holder of a certificate, the key of one of its requests, or nobody (for
// a revocation by a shared secret, §6.11). It proves that the message is whole; whether a certificate is to be believed is
// for client-certificate.ts to say.

import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { isIdentified, type SignedData, verifySigner } from '@gatehouse/pkix/cms/signed-data';
import { PkixError } from '@gatehouse/pkix/errors';
import { findExtension, readKeyUsage, readSubjectKeyIdentifier } from '@gatehouse/pkix/extensions';
import { areNamesEqual } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import type { CmcRequest } from './certification-requests.ts';
import { CmcFailure } from './failure.ts';

/** Who signed. */
export type MessageSigner =
  | { readonly kind: 'none' }
  /** RFC 5272 §3.2: the private key of this request. */
  | { readonly kind: 'request-key'; readonly request: CmcRequest }
  | {
      readonly kind: 'certificate';
      readonly certificate: Certificate;
      /** The other certificates of the message, DER. */
      readonly others: readonly Uint8Array[];
    };

/**
 * Finds and verifies the signer.
 *
 * @param shown certificates of the connection, DER: a client need not send them twice
 * @throws {CmcFailure} `badMessageCheck` when the signature does not verify or its key is not to be found; `badRequest`
 */
export function verifyMessageSigner(
  message: SignedData,
  requests: readonly CmcRequest[],
  shown: readonly Uint8Array[],
): MessageSigner {
  const [signer, ...more] = message.signers;
  if (signer === undefined) return { kind: 'none' };
  if (more.length > 0) throw new CmcFailure('badRequest', 'the message has more than one signer');
  const verify = (spki: Uint8Array): void => {
    const verification = verifySigner(message, signer, spki);
    if (!verification.ok) throw new CmcFailure('badMessageCheck', `signature of the message: ${verification.reason}`);
  };

  const { identifier } = signer;
  const certificate = [...message.certificates, ...shown]
    .flatMap(readIfCertificate)
    .find((candidate) => isIdentified(candidate, identifier) && !standsForRequest(candidate, requests));
  if (certificate !== undefined) {
    demandSigningUse(certificate);
    verify(certificate.subjectPublicKeyInfo);
    const others = message.certificates.filter((der) => Buffer.compare(der, certificate.der) !== 0);
    return { kind: 'certificate', certificate, others };
  }
  // RFC 5272 §3.2: the request has to have the same subjectKeyIdentifier as the signer.
  const request =
    identifier.kind === 'subject-key-identifier'
      ? requests.find((candidate) => hasKeyIdentifier(candidate, identifier.keyIdentifier))
      : requests.find((candidate) => isSelfSignedFor(message, candidate, signer.identifier));
  if (request === undefined) {
    throw new CmcFailure('badMessageCheck', 'the certificate of the signer is missing, and no request has its key');
  }
  verify(request.subjectPublicKeyInfo);
  return { kind: 'request-key', request };
}

// Tools that cannot sign without a certificate make one for the key of the request: it says no more than the key itself.
function standsForRequest(certificate: Certificate, requests: readonly CmcRequest[]): boolean {
  return (
    areNamesEqual(certificate.issuer, certificate.subject) &&
    requests.some(
      ({ subjectPublicKeyInfo }) => Buffer.compare(subjectPublicKeyInfo, certificate.subjectPublicKeyInfo) === 0,
    )
  );
}

function isSelfSignedFor(
  { certificates }: SignedData,
  request: CmcRequest,
  identifier: Parameters<typeof isIdentified>[1],
): boolean {
  return certificates
    .flatMap(readIfCertificate)
    .some((candidate) => isIdentified(candidate, identifier) && standsForRequest(candidate, [request]));
}

function hasKeyIdentifier({ extensions }: CmcRequest, keyIdentifier: Uint8Array): boolean {
  const extension = findExtension(extensions, extensionIds.subjectKeyIdentifier);
  if (extension === undefined) return false;
  return Buffer.compare(readOr(extension.value, readSubjectKeyIdentifier) ?? Buffer.alloc(0), keyIdentifier) === 0;
}

// RFC 5280 §4.2.1.3: a key that signs messages is for digitalSignature, or nothing is said.
function demandSigningUse(certificate: Certificate): void {
  const extension = extensionOf(certificate, extensionIds.keyUsage);
  if (extension === undefined) return;
  const usages = readOr(extension.value, readKeyUsage) ?? [];
  if (usages.includes('digitalSignature') || usages.includes('nonRepudiation')) return;
  throw new CmcFailure('badMessageCheck', 'the key of the signer is not for signatures');
}

function readIfCertificate(der: Uint8Array): readonly Certificate[] {
  const certificate = readOr(der, readCertificate);
  return certificate === undefined ? [] : [certificate];
}

// What cannot be read is nobody's certificate; the signature then finds no key.
function readOr<T>(der: Uint8Array, read: (der: Uint8Array) => T): T | undefined {
  try {
    return read(der);
  } catch (error) {
    if (error instanceof PkixError) return undefined;
    throw error;
  }
}
