// A generated private key on its way to its owner (RFC 7030 §4.4.2, RFC 5958 §4): AsymmetricKeyPackage, signed by who made
// the key, enveloped for who will use it. The order is fixed: a signature outside would leave the key's origin unproved.
import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { contentTypes } from '../object-identifiers.ts';
import { readAsymmetricKeyPackage, writeAsymmetricKeyPackage } from './asymmetric-key-package.ts';
import type { ContentEncryption } from './content-encryption.ts';
import { openContentInfo, readingCms, writeContentInfo } from './content-info.ts';
import { type DecryptionKey, decryptEnvelopedData } from './decrypt-enveloped-data.ts';
import { createEnvelopedData, readEnvelopedData } from './enveloped-data.ts';
import { CmsError } from './error.ts';
import type { Recipient } from './recipient.ts';
import { createSignedData, readSignedData, verifySignedData } from './signed-data.ts';

/** What the message is made of. */
export type EncryptedKeyPackageInput = {
  /** PKCS #8 or OneAsymmetricKey, DER; the caller overwrites it afterwards. */
  readonly privateKey: Uint8Array;
  /** Who made the key. */
  readonly signer: { readonly certificate: Certificate; readonly key: KeyObject };
  /** DER of the certificates that help to verify the signer, its own among them. */
  readonly certificates: readonly Uint8Array[];
  readonly recipient: Recipient;
  readonly contentEncryption: ContentEncryption;
};

/** ContentInfo of EnvelopedData or AuthEnvelopedData. @throws CmsError when the key or the recipient does not fit */
export function createEncryptedKeyPackage(input: EncryptedKeyPackageInput): Uint8Array {
  const keyPackage = writeAsymmetricKeyPackage([input.privateKey]);
  const signed = createSignedData({
    content: keyPackage,
    contentType: contentTypes.asymmetricKeyPackage,
    signer: input.signer,
    certificates: input.certificates,
  });
  // RFC 5652 §6.1: what is encrypted is the content itself, which is SignedData and not a ContentInfo around it.
  const content = openContentInfo(signed, contentTypes.signedData).read().raw;
  const message = createEnvelopedData({
    content,
    contentType: contentTypes.signedData,
    recipient: input.recipient,
    contentEncryption: input.contentEncryption,
  });
  keyPackage.fill(0);
  signed.fill(0);
  return message;
}

/** What the owner finds. Whether a signer is trusted is the caller's question. */
export type OpenedKeyPackage = {
  /** OneAsymmetricKey, DER. */
  readonly keys: readonly Uint8Array[];
  readonly signers: readonly Certificate[];
};

/** Opens what {@link createEncryptedKeyPackage} makes, and verifies its signature. @throws CmsError */
export function openEncryptedKeyPackage(der: Uint8Array, decryptionKey: DecryptionKey): OpenedKeyPackage {
  return readingCms('key package', () => {
    const enveloped = readEnvelopedData(der);
    if (enveloped.contentType !== contentTypes.signedData) throw new CmsError('the enveloped content is not signed');
    const content = decryptEnvelopedData(enveloped, decryptionKey);
    const signed = readSignedData(writeContentInfo(contentTypes.signedData, content));
    if (signed.contentType !== contentTypes.asymmetricKeyPackage || signed.content === undefined) {
      throw new CmsError('the signed content is no AsymmetricKeyPackage');
    }
    const verification = verifySignedData(signed);
    if (!verification.ok) throw new CmsError(verification.reason);
    return { keys: readAsymmetricKeyPackage(signed.content), signers: verification.signers };
  });
}
