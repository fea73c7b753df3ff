// The value of Block1 and Block2, RFC 7959 §2.2: a block number, whether more blocks follow, and the size as an exponent.

import type { CoapOption } from '../message/message.ts';
import { readUint, uintOption } from '../message/options.ts';

/** A block of a body. */
export type Block = {
  /** NUM: 0 to 1048575. */
  readonly number: number;
  /** M. */
  readonly isMore: boolean;
  /** SZX: 0 to 6; a block has 2 ** (SZX + 4) octets. */
  readonly sizeExponent: number;
};

/** Size of the blocks, RFC 7959 §2.2. */
export function octetsOfBlock(sizeExponent: number): number {
  return 16 << sizeExponent;
}

/** Where a block begins in its body. */
export function offsetOfBlock(block: Block): number {
  return block.number * octetsOfBlock(block.sizeExponent);
}

/** The largest size exponent whose blocks have at most so many octets; 0 where even 16 are too many. */
export function sizeExponentFor(octets: number): number {
  for (let exponent = 6; exponent > 0; exponent--) if (octetsOfBlock(exponent) <= octets) return exponent;
  return 0;
}

/** @param value at most 3 octets @returns undefined when SZX is 7, which is reserved, RFC 7959 §2.2. */
export function decodeBlock(value: Uint8Array): Block | undefined {
  const bits = readUint(value);
  const sizeExponent = bits & 0x7;
  return sizeExponent === 7 ? undefined : { number: bits >>> 4, isMore: (bits & 0x8) !== 0, sizeExponent };
}

/** Writes the option. @param number of Block1 or Block2 */
export function blockOption(number: number, block: Block): CoapOption {
  return uintOption(number, block.number * 16 + (block.isMore ? 8 : 0) + block.sizeExponent);
}
