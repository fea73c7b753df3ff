// Serial numbers of certificates (RFC 5280 §4.1.2.2): positive, 18 octets, of which 16 are random and 2 say which
// instance of the core made it, so that two cores cannot collide. They must never be guessable or sequential.
import { randomFillSync } from 'node:crypto';

const prefixLength = 2;
const randomLength = 16;

// Random octets are fetched for many serial numbers at once: a call into OpenSSL costs more than all the rest here.
const pool = Buffer.alloc(randomLength * 256);
let poolPosition = pool.length;

/**
 * A new serial number: `instancePrefix` and 128 random bits, 18 octets big-endian. Its first octet is 0x01 to 0x7f, so it
 * is positive and its DER INTEGER has no padding.
 *
 * @param instancePrefix 2 octets, the first 0x01 to 0x7f, unique among the cores of one authority
 * @throws {RangeError} when the prefix is anything else
 */
export function newSerialNumber(instancePrefix: Uint8Array): Uint8Array {
  const first = instancePrefix[0] ?? 0;
  if (instancePrefix.length !== prefixLength || first < 0x01 || first > 0x7f) {
    throw new RangeError('an instance prefix is two octets, the first of them 0x01 to 0x7f');
  }
  if (poolPosition === pool.length) {
    randomFillSync(pool);
    poolPosition = 0;
  }
  const serialNumber = new Uint8Array(prefixLength + randomLength);
  serialNumber.set(instancePrefix);
  serialNumber.set(pool.subarray(poolPosition, poolPosition + randomLength), prefixLength);
  poolPosition += randomLength;
  return serialNumber;
}

/** A random instance prefix, for a new instance of the core and for authorities made offline. */
export function newInstancePrefix(): Uint8Array {
  const prefix = randomFillSync(new Uint8Array(prefixLength));
  const first = (prefix[0] ?? 0) & 0x7f;
  prefix[0] = first === 0 ? 0x01 : first;
  return prefix;
}

/** A serial number as it stands in the database, the contract and the logs: lower-case hex, two digits an octet. */
export function formatSerialNumber(serialNumber: Uint8Array): string {
  return Buffer.from(serialNumber.buffer, serialNumber.byteOffset, serialNumber.length).toString('hex');
}
