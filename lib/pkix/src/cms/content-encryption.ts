// Content encryption of CMS: AES-CBC (RFC 3565) and AES-GCM (RFC 5084), one row each. Every message gets a fresh key and
// a fresh IV or nonce; nothing here takes either from a caller, because a repeated nonce gives GCM's key away.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DerCursor, DerError, readOctetString, readSmallInteger, tags } from '../der/reader.ts';
import { integer, objectIdentifier, octetString, sequence } from '../der/writer.ts';
import { algorithms } from '../object-identifiers.ts';
import type { AlgorithmIdentifier } from '../signature-algorithms.ts';
import { CmsError } from './error.ts';

/** Ciphers that messages are written with; those with GCM give AuthEnvelopedData (RFC 5083). */
export type ContentEncryption = 'aes-128-cbc' | 'aes-256-cbc' | 'aes-128-gcm' | 'aes-256-gcm';

type Cipher =
  | { readonly mode: 'cbc'; readonly name: `aes-${128 | 192 | 256}-cbc`; readonly keyOctets: number }
  | { readonly mode: 'gcm'; readonly name: `aes-${128 | 192 | 256}-gcm`; readonly keyOctets: number };

const ciphers: ReadonlyMap<string, Cipher> = new Map<string, Cipher>([
  [algorithms.aes128Cbc, { mode: 'cbc', name: 'aes-128-cbc', keyOctets: 16 }], // RFC 3565 §2.1
  [algorithms.aes192Cbc, { mode: 'cbc', name: 'aes-192-cbc', keyOctets: 24 }], // RFC 3565 §2.1
  [algorithms.aes256Cbc, { mode: 'cbc', name: 'aes-256-cbc', keyOctets: 32 }], // RFC 3565 §2.1
  [algorithms.aes128Gcm, { mode: 'gcm', name: 'aes-128-gcm', keyOctets: 16 }], // RFC 5084 §3.2
  [algorithms.aes192Gcm, { mode: 'gcm', name: 'aes-192-gcm', keyOctets: 24 }], // RFC 5084 §3.2
  [algorithms.aes256Gcm, { mode: 'gcm', name: 'aes-256-gcm', keyOctets: 32 }], // RFC 5084 §3.2
]);

const identifiers: Readonly<Record<ContentEncryption, string>> = {
  'aes-128-cbc': algorithms.aes128Cbc,
  'aes-256-cbc': algorithms.aes256Cbc,
  'aes-128-gcm': algorithms.aes128Gcm,
  'aes-256-gcm': algorithms.aes256Gcm,
};

const ivOctets = 16;
// RFC 5084 §3.2: a nonce of 12 octets is recommended, and the longest tag is taken.
const nonceOctets = 12;
const tagOctets = 16;

/** What encryption yields; `mac` for GCM only. The caller wraps `key` for the recipient and then overwrites it. */
export type EncryptedContent = {
  readonly key: Buffer;
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly mac: Uint8Array | undefined;
};

/** Whether a cipher authenticates what it encrypts. */
export function isAuthenticated(encryption: ContentEncryption): boolean {
  return encryption.endsWith('-gcm');
}

/** Encrypts under a new key; `associated` is authenticated besides by GCM, and must be empty for CBC. */
export function encryptContent(
  encryption: ContentEncryption,
  content: Uint8Array,
  associated: Uint8Array,
): EncryptedContent {
  const identifier = identifiers[encryption];
  const cipher = cipherOf(identifier);
  const key = randomBytes(cipher.keyOctets);
  if (cipher.mode === 'cbc') {
    const iv = randomBytes(ivOctets);
    const engine = createCipheriv(cipher.name, key, iv);
    const ciphertext = Buffer.concat([engine.update(content), engine.final()]);
    // RFC 3565 §4.1: the parameters are the IV.
    return { key, algorithm: sequence(objectIdentifier(identifier), octetString(iv)), ciphertext, mac: undefined };
  }
  const nonce = randomBytes(nonceOctets);
  const engine = createCipheriv(cipher.name, key, nonce, { authTagLength: tagOctets });
  engine.setAAD(associated);
  const ciphertext = Buffer.concat([engine.update(content), engine.final()]);
  const parameters = sequence(octetString(nonce), integer(tagOctets));
  return {
    key,
    algorithm: sequence(objectIdentifier(identifier), parameters),
    ciphertext,
    mac: engine.getAuthTag(),
  };
}

function cipherOf(identifier: string): Cipher {
  const cipher = ciphers.get(identifier);
  if (cipher === undefined) throw new CmsError(`content encryption algorithm ${identifier} is not accepted`);
  return cipher;
}

/** Octets of the key of a content encryption algorithm. @throws CmsError when the algorithm is unknown */
export function contentKeyOctets({ oid }: AlgorithmIdentifier): number {
  return cipherOf(oid).keyOctets;
}

/** What decryption needs; `mac` where the message carries one. */
export type ContentToDecrypt = {
  readonly algorithm: AlgorithmIdentifier;
  readonly key: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly associated: Uint8Array;
  readonly mac: Uint8Array | undefined;
};

/**
 * Decrypts. All that depends on the key or the ciphertext fails with one and the same error, so that the answer tells an
 * attacker nothing (RFC 3218 §2.3, RFC 5652 §14).
 *
 * @throws CmsError
 */
export function decryptContent({ algorithm, key, ciphertext, associated, mac }: ContentToDecrypt): Uint8Array {
  const cipher = cipherOf(algorithm.oid);
  if ((cipher.mode === 'gcm') !== (mac !== undefined)) {
    throw new CmsError(`content encryption algorithm ${algorithm.oid} does not fit the content type`);
  }
  if (cipher.mode === 'cbc') {
    const iv = readIv(algorithm.parameters);
    return undisclosed(() => {
      const engine = createDecipheriv(cipher.name, key, iv);
      return Buffer.concat([engine.update(ciphertext), engine.final()]);
    });
  }
  const { nonce, macOctets } = readGcmParameters(algorithm.parameters);
  if (mac?.length !== macOctets) throw new CmsError('the authentication tag has not the length that is stated');
  return undisclosed(() => {
    const engine = createDecipheriv(cipher.name, key, nonce, { authTagLength: macOctets });
    engine.setAAD(associated);
    engine.setAuthTag(mac);
    return Buffer.concat([engine.update(ciphertext), engine.final()]);
  });
}

/** Runs a decryption and hides why it failed. @throws CmsError */
export function undisclosed<T>(decrypt: () => T): T {
  try {
    return decrypt();
  } catch (cause) {
    throw new CmsError('the content cannot be decrypted', { cause });
  }
}

function readIv(parameters: Uint8Array | undefined): Uint8Array {
  const cursor = new DerCursor(parameters ?? new Uint8Array());
  const iv = readOctetString(cursor.read(tags.octetString));
  cursor.expectEnd();
  if (iv.length !== ivOctets) throw new DerError(`an IV has ${iv.length} octets`);
  return iv;
}

// RFC 5084 §3.2: GCMParameters, where the length of the tag is 12 octets by default.
function readGcmParameters(parameters: Uint8Array | undefined): { nonce: Uint8Array; macOctets: number } {
  const outer = new DerCursor(parameters ?? new Uint8Array());
  const cursor = outer.enter(tags.sequence);
  outer.expectEnd();
  const nonce = readOctetString(cursor.read(tags.octetString));
  const length = cursor.readOptional(tags.integer);
  cursor.expectEnd();
  const macOctets = length === undefined ? 12 : readSmallInteger(length);
  if (nonce.length !== nonceOctets) throw new DerError(`a nonce of ${nonce.length} octets is not accepted`);
  if (macOctets < 12 || macOctets > 16) throw new DerError(`a tag of ${macOctets} octets is not accepted`);
  return { nonce, macOctets };
}
