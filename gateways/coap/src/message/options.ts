// Reading and writing options, RFC 7252 §3.2 and §5.4: what the number of one says, what its value means, and which of those
// in a request count at all.

import type { CoapOption } from './message.ts';
import { optionDefinitions, optionNumbers } from './option-numbers.ts';

/** Something that has options: a message, a request, a response. */
export type HasOptions = { readonly options: readonly CoapOption[] };

/** Whether who does not know the option has to refuse the message, RFC 7252 §5.4.1 and §5.4.6. */
export function isCritical(number: number): boolean {
  return (number & 1) === 1;
}

/** Whether a proxy that does not know the option must not forward it, RFC 7252 §5.4.2 and §5.4.6. */
export function isUnsafe(number: number): boolean {
  return (number & 2) === 2;
}

/** Whether the option is no part of the cache key, RFC 7252 §5.4.2 and §5.4.6; says nothing about unsafe options. */
export function isNoCacheKey(number: number): boolean {
  return (number & 0x1e) === 0x1c;
}

/** All values of an option, in their order. */
export function optionsOf(message: HasOptions, number: number): readonly Uint8Array[] {
  return message.options.filter((option) => option.number === number).map((option) => option.value);
}

/** The value of an option, the first where there are several; undefined when it is absent. */
export function optionOf(message: HasOptions, number: number): Uint8Array | undefined {
  return message.options.find((option) => option.number === number)?.value;
}

/** The number that an option says, RFC 7252 §3.2; undefined when it is absent. Options of format uint only. */
export function uintOptionOf(message: HasOptions, number: number): number | undefined {
  const value = optionOf(message, number);
  return value === undefined ? undefined : readUint(value);
}

/**
 * Reads a uint, RFC 7252 §3.2: no octets are 0, and leading zeros are taken.
 *
 * @param value at most 6 octets: no option has more than 4
 */
export function readUint(value: Uint8Array): number {
  return value.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Reads a string, RFC 7252 §3.2; undefined when it is not UTF-8. */
export function readString(value: Uint8Array): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An option that says a number, in as few octets as can be, RFC 7252 §3.2. @param value 0 to 2³² − 1 */
export function uintOption(number: number, value: number): CoapOption {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return { number, value: Uint8Array.from(octets) };
}

/** An option that says a text, RFC 7252 §3.2. */
export function stringOption(number: number, value: string): CoapOption {
  return { number, value: Buffer.from(value, 'utf8') };
}

/** What {@link screenOptions} found. */
export type ScreenedOptions =
  | { readonly kind: 'accepted'; readonly options: readonly CoapOption[] }
  /** A critical option that nobody here understands: 4.02, RFC 7252 §5.4.1. */
  | { readonly kind: 'bad-option'; readonly number: number }
  /** The request is for a proxy: 5.05, RFC 7252 §5.10.2. */
  | { readonly kind: 'proxying' };

/**
 * Judges the options of a request, RFC 7252 §5.4: elective ones that are not known, are of a wrong length or come once too often
 * are dropped; the first critical one of that kind refuses the request.
 *
 * @param options ascending by number
 * @param understood the critical options that are understood
 */
export function screenOptions(options: readonly CoapOption[], understood: ReadonlySet<number>): ScreenedOptions {
  const accepted: CoapOption[] = [];
  let badOption: number | undefined;
  for (const option of options) {
    const { number } = option;
    if (number === optionNumbers.proxyUri || number === optionNumbers.proxyScheme) return { kind: 'proxying' };
    if (isWellFormed(option, accepted.at(-1)) && (!isCritical(number) || understood.has(number))) accepted.push(option);
    else if (isCritical(number)) badOption ??= number;
  }
  return badOption === undefined ? { kind: 'accepted', options: accepted } : { kind: 'bad-option', number: badOption };
}

/** Whether an option is known, as long as it may be and not supernumerary, RFC 7252 §5.4.3 and §5.4.5. */
function isWellFormed({ number, value }: CoapOption, previous: CoapOption | undefined): boolean {
  const definition = optionDefinitions.get(number);
  if (definition === undefined) return false;
  if (value.length < definition.minimumOctets || value.length > definition.maximumOctets) return false;
  return definition.isRepeatable || previous?.number !== number;
}
