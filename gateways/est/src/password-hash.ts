// Password hashes as PHC strings (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`, `$scrypt$ln=…,r=…,p=…$salt$hash`): made and
// checked off the event loop. A password must never be kept, logged or compared in variable time.

import { argon2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** The functions that users.yaml may name. argon2id is RFC 9106, scrypt RFC 7914. */
export type PasswordHashFunction = 'argon2id' | 'scrypt';

/** A PHC string taken apart. */
export type PasswordHash = {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
} & (
  | { readonly function: 'argon2id'; readonly memoryKiB: number; readonly passes: number; readonly parallelism: number }
  | { readonly function: 'scrypt'; readonly logCost: number; readonly blockSize: number; readonly parallelism: number }
);

/** A text that is no PHC string of a function that is accepted. */
export class PasswordHashError extends Error {
  override readonly name = 'PasswordHashError';
  readonly code = 'password-hash';
}

// What a file may ask of this process: a hash that takes minutes or gigabytes is a mistake.
const maximumMemoryKiB = 1024 * 1024;
const maximumPasses = 64;

const saltLength = 16;
const hashLength = 32;

/**
 * Hashes a password for storing.
 *
 * @returns a PHC string with a fresh salt; argon2id with 19 MiB and two passes unless told
 */
export async function hashPassword(password: string, name: PasswordHashFunction = 'argon2id'): Promise<string> {
  const salt = randomBytes(saltLength);
  const shape: PasswordHash =
    name === 'argon2id'
      ? { function: name, memoryKiB: 19_456, passes: 2, parallelism: 1, salt, hash: new Uint8Array(hashLength) }
      : { function: name, logCost: 15, blockSize: 8, parallelism: 1, salt, hash: new Uint8Array(hashLength) };
  return formatPasswordHash({ ...shape, hash: await derive(shape, password) });
}

/** Whether the password is the one that was hashed. */
export async function verifyPassword(expected: PasswordHash, password: string): Promise<boolean> {
  return timingSafeEqual(await derive(expected, password), expected.hash);
}

/**
 * Reads a PHC string.
 *
 * @throws {PasswordHashError} naming what is wrong, never the value
 */
export function parsePasswordHash(text: string): PasswordHash {
  const [empty, name, ...rest] = text.split('$');
  if (empty !== '' || text.length > 512)
    throw new PasswordHashError('a password hash begins with $argon2id$ or $scrypt$');
  switch (name) {
    case 'argon2id': {
      const [version, parameters, salt, hash] = expectParts(rest, 4);
      if (version !== 'v=19') throw new PasswordHashError('argon2id must have version 19');
      const [memoryKiB, passes, parallelism] = readNumbers(parameters, ['m', 't', 'p']);
      if (memoryKiB < 8 * parallelism || memoryKiB > maximumMemoryKiB || passes > maximumPasses || parallelism > 64) {
        throw new PasswordHashError('the costs of argon2id are out of range');
      }
      return { function: name, memoryKiB, passes, parallelism, ...readSaltAndHash(salt, hash) };
    }
    case 'scrypt': {
      const [parameters, salt, hash] = expectParts(rest, 3);
      const [logCost, blockSize, parallelism] = readNumbers(parameters, ['ln', 'r', 'p']);
      const memoryKiB = (2 ** logCost * blockSize * 128) / 1024;
      if (memoryKiB > maximumMemoryKiB || parallelism > 64) {
        throw new PasswordHashError('the costs of scrypt are out of range');
      }
      return { function: name, logCost, blockSize, parallelism, ...readSaltAndHash(salt, hash) };
    }
    default:
      throw new PasswordHashError('a password hash must be argon2id or scrypt');
  }
}

function formatPasswordHash(value: PasswordHash): string {
  const salt = toBase64(value.salt);
  const hash = toBase64(value.hash);
  return value.function === 'argon2id'
    ? `$argon2id$v=19$m=${value.memoryKiB},t=${value.passes},p=${value.parallelism}$${salt}$${hash}`
    : `$scrypt$ln=${value.logCost},r=${value.blockSize},p=${value.parallelism}$${salt}$${hash}`;
}

async function derive(shape: PasswordHash, password: string): Promise<Buffer> {
  // RFC 8265 §4.2: the same characters typed on two systems are the same password.
  const message = password.normalize('NFC');
  const { salt, hash, parallelism } = shape;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const finish = (error: Error | null, key: Buffer): void => (error === null ? resolve(key) : reject(error));
  if (shape.function === 'argon2id') {
    const costs = { memory: shape.memoryKiB, passes: shape.passes, parallelism, tagLength: hash.length };
    argon2('argon2id', { message, nonce: salt, ...costs }, finish);
  } else {
    const { logCost, blockSize } = shape;
    const costs = {
      cost: 2 ** logCost,
      blockSize,
      parallelization: parallelism,
      maxmem: 2 ** logCost * blockSize * 256,
    };
    scrypt(message, salt, hash.length, costs, finish);
  }
  return await promise;
}

function expectParts(parts: readonly string[], count: number): readonly string[] {
  if (parts.length !== count) throw new PasswordHashError(`a password hash must have ${count + 1} parts`);
  return parts;
}

function readNumbers(text: string | undefined, names: readonly string[]): readonly [number, number, number] {
  const values = (text ?? '').split(',').map((part, index) => {
    const match = /^([a-z]+)=([1-9][0-9]{0,6})$/.exec(part);
    if (match === null || match[1] !== names[index])
      throw new PasswordHashError(`the costs of a password hash are ${names.join(', ')}`);
    return Number(match[2]);
  });
  const [first, second, third] = values;
  if (values.length !== 3 || first === undefined || second === undefined || third === undefined) {
    throw new PasswordHashError(`the costs of a password hash are ${names.join(', ')}`);
  }
  return [first, second, third];
}

function readSaltAndHash(salt: string | undefined, hash: string | undefined): { salt: Uint8Array; hash: Uint8Array } {
  const value = { salt: fromBase64(salt ?? ''), hash: fromBase64(hash ?? '') };
  if (value.salt.length < 8 || value.hash.length < 16 || value.hash.length > 64) {
    throw new PasswordHashError('the salt of a password hash has at least 8 octets, the hash 16 to 64');
  }
  return value;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

function fromBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]+$/.test(text)) throw new PasswordHashError('salt and hash are base64 without padding');
  return Buffer.from(text, 'base64');
}
