// Encrypts the content key of a message for one recipient: by key transport to an RSA key, by key agreement with an
// elliptic-curve key, or under a shared key. Whether the recipient is the right one is the caller's decision.
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { type Certificate, extensionOf, readCertificate } from '../certificate.ts';
import { explicit, nullValue, objectIdentifier, sequence } from '../der/writer.ts';
import { readKeyUsage, readSubjectKeyIdentifier } from '../extensions.ts';
import { algorithms, extensionIds } from '../object-identifiers.ts';
import { describePublicKey } from '../public-key.ts';
import { CmsError } from './error.ts';
import { agreeWith } from './key-agreement.ts';
import { keyWrapIdentifier, wrapKey } from './key-wrap.ts';
import { writeKeyAgreement, writeKeyEncryptionKey, writeKeyTransport } from './recipient-info.ts';
import type { CertificateIdentifier } from './signer-info.ts';

/** AES key wrap by the size of its key (RFC 3394). */
export type KeyWrap = 'aes-128-wrap' | 'aes-192-wrap' | 'aes-256-wrap';

/** For whom a message is encrypted. Certificates may be given as their DER. */
export type Recipient =
  | {
      /** RFC 5652 §6.2.1, to an RSA key. */
      readonly kind: 'key-transport';
      readonly certificate: Certificate | Uint8Array;
      /** RSAES-OAEP with SHA-256 (RFC 3560), or RSAES-PKCS1-v1_5 (RFC 3370 §4.2.1) for those that know no better. */
      readonly padding: 'oaep-sha256' | 'pkcs1';
      readonly identifyBy?: CertificateIdentifier['kind'];
    }
  | {
      /** RFC 5652 §6.2.2 with ephemeral-static ECDH (RFC 5753), to a key on P-256, P-384 or P-521. */
      readonly kind: 'key-agreement';
      readonly certificate: Certificate | Uint8Array;
      readonly identifyBy?: CertificateIdentifier['kind'];
      /** What wraps the content key; `aes-256-wrap` unless told. */
      readonly keyWrap?: KeyWrap;
    }
  | {
      /** RFC 5652 §6.2.3 with AES key wrap. */
      readonly kind: 'key-encryption-key';
      /** By which the recipient knows the key. */
      readonly identifier: Uint8Array;
      /** 16, 24 or 32 octets. */
      readonly key: Uint8Array;
    };

/** RFC 3560 §3 and RFC 4055 §4.1: hash and mask generation by SHA-256, no label. */
const sha256Identifier = sequence(objectIdentifier(algorithms.sha256), nullValue());
const oaepIdentifier = sequence(
  objectIdentifier(algorithms.rsaesOaep),
  sequence(explicit(0, sha256Identifier), explicit(1, sequence(objectIdentifier(algorithms.mgf1), sha256Identifier))),
);
const pkcs1Identifier = sequence(objectIdentifier(algorithms.rsaEncryption), nullValue());

/** Key wrap beneath key agreement. RFC 5753 §7.1.5. */
const agreedWraps: Readonly<Record<KeyWrap, string>> = {
  'aes-128-wrap': algorithms.aes128Wrap,
  'aes-192-wrap': algorithms.aes192Wrap,
  'aes-256-wrap': algorithms.aes256Wrap,
};

/**
 * How keys can be sent to the holder of a certificate, by the kind of its key and by its key usage (RFC 5280 §4.2.1.3);
 * undefined when they cannot.
 */
export function keyDeliveryTo(certificate: Certificate): 'key-transport' | 'key-agreement' | undefined {
  const { kind } = describePublicKey(certificate.subjectPublicKeyInfo);
  const extension = extensionOf(certificate, extensionIds.keyUsage);
  const usages = extension && readKeyUsage(extension.value);
  if (kind === 'rsa' && (usages === undefined || usages.includes('keyEncipherment'))) return 'key-transport';
  if (kind === 'ec' && (usages === undefined || usages.includes('keyAgreement'))) return 'key-agreement';
  return undefined;
}

/** RecipientInfo, DER, that gives `contentKey` to the recipient. @throws CmsError when its key is of another kind */
export function encryptKeyFor(recipient: Recipient, contentKey: Uint8Array): Uint8Array {
  switch (recipient.kind) {
    case 'key-transport':
      return transportKey(recipient, contentKey);
    case 'key-agreement':
      return agreeOnKey(recipient, contentKey);
    case 'key-encryption-key': {
      const algorithm = sequence(objectIdentifier(keyWrapIdentifier(recipient.key.length)));
      return writeKeyEncryptionKey(recipient.identifier, algorithm, wrapKey(recipient.key, contentKey));
    }
  }
}

function transportKey(recipient: Recipient & { kind: 'key-transport' }, contentKey: Uint8Array): Uint8Array {
  const certificate = certificateOf(recipient);
  const { kind } = describePublicKey(certificate.subjectPublicKeyInfo);
  if (kind !== 'rsa') throw new CmsError(`key transport: a key of kind ${kind}`);
  const key = createPublicKey({ key: Buffer.from(certificate.subjectPublicKeyInfo), format: 'der', type: 'spki' });
  const isOaep = recipient.padding === 'oaep-sha256';
  const padding = isOaep ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING;
  const encryptedKey = publicEncrypt({ key, padding, oaepHash: 'sha256' }, contentKey);
  return writeKeyTransport(identify(certificate, recipient), isOaep ? oaepIdentifier : pkcs1Identifier, encryptedKey);
}

function agreeOnKey(recipient: Recipient & { kind: 'key-agreement' }, contentKey: Uint8Array): Uint8Array {
  const certificate = certificateOf(recipient);
  // By default as strong as any content key, RFC 5753 §8.
  const wrapAlgorithm = agreedWraps[recipient.keyWrap ?? 'aes-256-wrap'];
  const { scheme, ephemeralPoint, wrappingKey } = agreeWith(certificate.subjectPublicKeyInfo, wrapAlgorithm);
  // RFC 5753 §7.1.4: the parameters of the scheme are the key wrap algorithm.
  const algorithm = sequence(objectIdentifier(scheme), sequence(objectIdentifier(wrapAlgorithm)));
  const encryptedKey = wrapKey(wrappingKey, contentKey);
  wrappingKey.fill(0);
  return writeKeyAgreement(identify(certificate, recipient), ephemeralPoint, algorithm, encryptedKey);
}

function certificateOf({ certificate }: { readonly certificate: Certificate | Uint8Array }): Certificate {
  return certificate instanceof Uint8Array ? readCertificate(certificate) : certificate;
}

function identify(
  certificate: Certificate,
  { identifyBy = 'issuer-and-serial-number' }: { readonly identifyBy?: CertificateIdentifier['kind'] },
): CertificateIdentifier {
  const { issuer, issuerDer, serialNumber } = certificate;
  if (identifyBy === 'issuer-and-serial-number') return { kind: identifyBy, issuer, issuerDer, serialNumber };
  const extension = extensionOf(certificate, extensionIds.subjectKeyIdentifier);
  if (extension === undefined) throw new CmsError('recipient: the certificate has no subjectKeyIdentifier');
  return { kind: identifyBy, keyIdentifier: readSubjectKeyIdentifier(extension.value) };
}
