// Software keys of the keep: made here, kept as encrypted PKCS#8 (RFC 5958 §3, PBES2 of RFC 8018 with AES-256) in files
// of mode 0600. A key must never touch the disk in the clear, never replace another one, and never be read from a file
// that group or others may use.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DerCursor, DerError, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';

/** Every kind of key that the keep can make, with how node:crypto makes it. */
const generators = {
  'ecdsa-p256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ecdsa-p384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ecdsa-p521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  'rsa-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-3072': () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  'rsa-4096': () => generateKeyPairSync('rsa', { modulusLength: 4096 }),
  ed25519: () => generateKeyPairSync('ed25519'),
  'ml-dsa-44': () => generateKeyPairSync('ml-dsa-44'),
  'ml-dsa-65': () => generateKeyPairSync('ml-dsa-65'),
  'ml-dsa-87': () => generateKeyPairSync('ml-dsa-87'),
} as const;

/** Name of a kind of key, as it stands in configuration. */
export type KeyAlgorithm = keyof typeof generators;

/** All names of {@link KeyAlgorithm}. */
export const keyAlgorithms: readonly KeyAlgorithm[] = Object.keys(generators).filter(isKeyAlgorithm);

/** Whether `text` names a kind of key. */
export function isKeyAlgorithm(text: string): text is KeyAlgorithm {
  return Object.hasOwn(generators, text);
}

/** Makes a private key. RSA of 4096 bits takes about a second; the others a few milliseconds at most. */
export function generateSoftwareKey(algorithm: KeyAlgorithm): KeyObject {
  return generators[algorithm]().privateKey;
}

/** PBES2, RFC 8018 §6.2. */
const pbes2 = '1.2.840.113549.1.5.13';
const pemLabel = 'ENCRYPTED PRIVATE KEY';

/**
 * Writes a private key as encrypted PKCS#8, PEM, mode 0600. OpenSSL derives the AES-256 key with few rounds of PBKDF2,
 * so the strength is that of the passphrase: use a random one.
 *
 * @throws {FatalError} when the file exists, cannot be written, or the passphrase is empty
 */
export function saveEncryptedKey(path: string, key: KeyObject, passphrase: string): void {
  if (passphrase === '') throw new FatalError(`the passphrase for ${path} is empty`, { hint: 'give a passphrase' });
  if (existsSync(path)) {
    throw new FatalError(`${path} exists already`, {
      hint: 'a key is never overwritten; move the old one away first if it is really not needed',
    });
  }
  writePrivateFile(path, key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
}

/**
 * Reads a private key from encrypted PKCS#8, PEM.
 *
 * @throws {FatalError} with a message and a hint of its own for each fault: missing, usable by group or others, not an
 *   encrypted key (corrupt), and a passphrase that does not open it
 */
export function loadEncryptedKey(path: string, passphrase: string): KeyObject {
  const der = decodeEncryptedKey(path, readKeyFile(path));
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8', passphrase });
  } catch (cause) {
    throw explainDecryption(path, cause);
  }
}

function readKeyFile(path: string): string {
  try {
    return readPrivateFile(path).toString('latin1');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new FatalError(`the private key ${path} is missing`, {
      hint: 'restore it from a backup; nothing can be signed without it',
      cause: error,
    });
  }
}

// A file that is there but in a folder that we may not enter is not missing, and must not be called so.
function isMissing(error: unknown): boolean {
  if (!(error instanceof FatalError)) return false;
  return error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT';
}

/** The EncryptedPrivateKeyInfo in the file, its outer form checked, so that a damaged file is not taken for a wrong passphrase. */
function decodeEncryptedKey(path: string, text: string): Uint8Array {
  if (/^-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/m.test(text)) {
    throw new FatalError(`the private key ${path} is not encrypted`, {
      hint: `encrypt it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in '${path}'`,
    });
  }
  try {
    const blocks = decodePem(text, [pemLabel]);
    const [block] = blocks;
    if (block === undefined || blocks.length > 1) throw new DerError(`${blocks.length} keys where one must stand`);
    const file = new DerCursor(block.der);
    const encryptedPrivateKeyInfo = file.enter(tags.sequence);
    file.expectEnd();
    const algorithm = readObjectIdentifier(encryptedPrivateKeyInfo.enter(tags.sequence).read(tags.objectIdentifier));
    if (algorithm !== pbes2) throw new DerError(`the encryption is ${algorithm} and not PBES2`);
    encryptedPrivateKeyInfo.read(tags.octetString);
    encryptedPrivateKeyInfo.expectEnd();
    return block.der;
  } catch (cause) {
    throw new FatalError(`the private key ${path} is corrupt: it is not an encrypted PKCS#8 key`, {
      hint: 'restore it from a backup',
      cause,
    });
  }
}

function explainDecryption(path: string, cause: unknown): FatalError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_OSSL_BAD_DECRYPT') {
    return new FatalError(`the passphrase does not open the private key ${path}`, {
      hint: 'check the passphrase file that the configuration names; if it is right, restore the key from a backup',
      cause,
    });
  }
  // The padding looked right, which a wrong passphrase manages once in 256 times.
  return new FatalError(`the private key ${path} is corrupt, or the passphrase is wrong: it decrypts to no key`, {
    hint: 'check the passphrase file that the configuration names, then restore the key from a backup',
    cause,
  });
}
