// Opens EnvelopedData and AuthEnvelopedData (RFC 5652 §6, RFC 5083) with a recipient's key. Whatever is wrong with keys or
// ciphertext is told in the same words, and a content key that RSA did not yield is replaced by a random one, so that a
// stranger cannot learn a plaintext by asking often (RFC 3218 §2.3).
import { constants, createPublicKey, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { DerCursor, readObjectIdentifier, readOnly, tags } from '../der/reader.ts';
import { bitString, objectIdentifier, sequence } from '../der/writer.ts';
import { algorithms, contentTypes, pkcs9Attributes } from '../object-identifiers.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { contentKeyOctets, decryptContent, undisclosed } from './content-encryption.ts';
import { readAttributes, readingCms, singleValue } from './content-info.ts';
import type { EnvelopedData } from './enveloped-data.ts';
import { CmsError } from './error.ts';
import { recoverAgreement } from './key-agreement.ts';
import { keyWrapOctets, unwrapKey } from './key-wrap.ts';
import type { RecipientInfo } from './recipient-info.ts';
import { isIdentified } from './signed-data.ts';
import { readObjectIdentifierValue } from './signer-info.ts';

/** The key with which a recipient opens a message. */
export type DecryptionKey =
  | {
      readonly kind: 'private-key';
      readonly key: KeyObject;
      /** The recipient's certificate, by which its RecipientInfo is found. */
      readonly certificate: Certificate;
    }
  | { readonly kind: 'key-encryption-key'; readonly identifier: Uint8Array; readonly key: Uint8Array };

/**
 * The content of the message.
 *
 * @throws CmsError when the key is not a recipient's, an algorithm is not accepted, or the content cannot be decrypted
 */
export function decryptEnvelopedData(envelopedData: EnvelopedData, decryptionKey: DecryptionKey): Uint8Array {
  return readingCms('EnvelopedData', () => {
    const { contentEncryptionAlgorithm: algorithm, encryptedContent: ciphertext, authentication } = envelopedData;
    const keyOctets = contentKeyOctets(algorithm);
    const associated = checkAttributes(envelopedData);
    const key = recoverContentKey(envelopedData.recipients, decryptionKey, keyOctets);
    const content = decryptContent({ algorithm, key, ciphertext, associated, mac: authentication?.mac });
    key.fill(0);
    return content;
  });
}

// RFC 5083 §2.1: the attributes are a must unless the content is data, and their contentType is that of the content.
function checkAttributes({ contentType, authentication }: EnvelopedData): Uint8Array {
  if (authentication === undefined) return new Uint8Array();
  const { attributesDer } = authentication;
  if (attributesDer === undefined) {
    if (contentType !== contentTypes.data) throw new CmsError('the authenticated attributes are missing');
    return new Uint8Array();
  }
  const attributes = readAttributes(new DerCursor(attributesDer).enter(tags.set));
  const type = singleValue(attributes, pkcs9Attributes.contentType);
  if (type === undefined ? contentType !== contentTypes.data : readObjectIdentifierValue(type) !== contentType) {
    throw new CmsError('the authenticated content type is another one');
  }
  return attributesDer;
}

function recoverContentKey(
  recipients: readonly RecipientInfo[],
  decryptionKey: DecryptionKey,
  keyOctets: number,
): Buffer {
  for (const recipient of recipients) {
    const key = recoverFrom(recipient, decryptionKey, keyOctets);
    // An integrity check passed, or RSA gave something: a key of a wrong length is as good as a wrong key.
    if (key !== undefined) return key.length === keyOctets ? key : randomBytes(keyOctets);
  }
  throw new CmsError('the message is not for this recipient');
}

/** The content key, or undefined when the RecipientInfo is another's. */
function recoverFrom(recipient: RecipientInfo, decryptionKey: DecryptionKey, keyOctets: number): Buffer | undefined {
  switch (recipient.kind) {
    case 'key-transport': {
      if (decryptionKey.kind !== 'private-key' || !isIdentified(decryptionKey.certificate, recipient.identifier)) {
        return undefined;
      }
      return receiveTransported(recipient.algorithm, decryptionKey.key, recipient.encryptedKey, keyOctets);
    }
    case 'key-agreement': {
      if (decryptionKey.kind !== 'private-key') return undefined;
      const { certificate, key } = decryptionKey;
      const entry = recipient.encryptedKeys.find(({ identifier }) => isIdentified(certificate, identifier));
      return entry && receiveAgreed(recipient, key, certificate, entry.encryptedKey);
    }
    case 'key-encryption-key': {
      if (decryptionKey.kind !== 'key-encryption-key') return undefined;
      if (Buffer.compare(recipient.identifier, decryptionKey.identifier) !== 0) return undefined;
      if (keyWrapOctets(recipient.algorithm.oid) !== decryptionKey.key.length) {
        throw new CmsError(`key wrap algorithm ${recipient.algorithm.oid} does not fit the key`);
      }
      return undisclosed(() => unwrapKey(decryptionKey.key, recipient.encryptedKey));
    }
    case 'other':
      return undefined;
  }
}

function receiveTransported(
  algorithm: AlgorithmIdentifier,
  key: KeyObject,
  encryptedKey: Uint8Array,
  keyOctets: number,
): Buffer {
  if (algorithm.oid === algorithms.rsaEncryption) {
    try {
      return privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encryptedKey);
    } catch {
      return randomBytes(keyOctets);
    }
  }
  if (algorithm.oid !== algorithms.rsaesOaep)
    throw new CmsError(`key transport algorithm ${algorithm.oid} is not accepted`);
  const oaepHash = readOaepHash(algorithm.parameters);
  return undisclosed(() => privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, encryptedKey));
}

const oaepHashes: ReadonlyMap<string, string> = new Map([
  [algorithms.sha1, 'sha1'],
  [algorithms.sha256, 'sha256'],
  [algorithms.sha384, 'sha384'],
  [algorithms.sha512, 'sha512'],
]);

// RFC 4055 §4.1: both hashes are SHA-1 by default. One hash for both is all that node:crypto has, and all that is seen.
function readOaepHash(parameters: Uint8Array | undefined): string {
  const fields = new DerCursor(readOnly(parameters ?? sequence(), tags.sequence).contents);
  const hashField = fields.enterOptional(0xa0);
  const hash = hashField === undefined ? algorithms.sha1 : readAlgorithmIdentifier(hashField).oid;
  const maskField = fields.enterOptional(0xa1);
  const mask = maskField && readAlgorithmIdentifier(maskField);
  const maskHash = mask?.parameters === undefined ? algorithms.sha1 : readAlgorithmIdentifier(mask.parameters).oid;
  const name = oaepHashes.get(hash);
  // A label ([2]) is used by nobody; a message with one is not for us.
  if (!fields.isAtEnd || name === undefined || maskHash !== hash || (mask && mask.oid !== algorithms.mgf1)) {
    throw new CmsError('these parameters of RSAES-OAEP are not accepted');
  }
  return name;
}

function receiveAgreed(
  { originator, userKeyingMaterial, algorithm }: RecipientInfo & { kind: 'key-agreement' },
  privateKey: KeyObject,
  { subjectPublicKeyInfo }: Certificate,
  encryptedKey: Uint8Array,
): Buffer {
  // RFC 5753 §7.1.4: the parameters of the scheme are the key wrap algorithm.
  const wrapAlgorithm = readAlgorithmIdentifier(algorithm.parameters ?? new Uint8Array()).oid;
  keyWrapOctets(wrapAlgorithm);
  const curve = curveOf(subjectPublicKeyInfo);
  if (originator.curve !== undefined && originator.curve !== curve) {
    throw new CmsError('the originator key is on another curve');
  }
  return undisclosed(() => {
    const spki = sequence(
      sequence(objectIdentifier(algorithms.ecPublicKey), objectIdentifier(curve)),
      bitString(originator.point),
    );
    const originatorKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const wrappingKey = recoverAgreement(privateKey, originatorKey, algorithm.oid, wrapAlgorithm, userKeyingMaterial);
    const key = unwrapKey(wrappingKey, encryptedKey);
    wrappingKey.fill(0);
    return key;
  });
}

function curveOf(subjectPublicKeyInfo: Uint8Array): string {
  const { oid, parameters } = readAlgorithmIdentifier(new DerCursor(subjectPublicKeyInfo).enter(tags.sequence));
  if (oid !== algorithms.ecPublicKey || parameters === undefined) throw new CmsError('the recipient has no curve');
  return readObjectIdentifier(readOnly(parameters, tags.objectIdentifier));
}
