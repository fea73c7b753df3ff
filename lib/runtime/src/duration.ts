// Durations as people write them in configuration and profiles ('90d', '1h30m'), and milliseconds as code uses them.
// A bare number is refused: '90' could be seconds or days, and the difference is an outage.

import { z } from 'zod';

/** Milliseconds in each unit, longest first. A year has 365 days: durations know no calendar. */
const units = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const unitLengths: ReadonlyMap<string, number> = new Map(units);
const syntax = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;

/** A text that is not a duration. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
  readonly code = 'duration';
}

/**
 * Reads a duration: whole numbers with the units y (365 days), w, d, h, m, s and ms, each at most once, longest first.
 *
 * @example parseDuration('1h30m') // 5_400_000
 * @returns milliseconds, a safe integer ≥ 0
 * @throws {DurationError} when the text is anything else
 */
export function parseDuration(text: string): number {
  if (text === '' || text.length > 64 || !syntax.test(text)) {
    throw new DurationError(`'${text.slice(0, 64)}' is not a duration; write it like '90d', '10m' or '1h30m'`);
  }
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([a-z]+)/g)) {
    total += Number(count) * (unitLengths.get(unit ?? '') ?? Number.NaN);
  }
  if (!Number.isSafeInteger(total)) throw new DurationError(`the duration '${text}' is too long`);
  return total;
}

/**
 * Writes milliseconds in the form that {@link parseDuration} reads; the two are inverse. Years and weeks are not used:
 * '90d' says more than '12w6d'.
 *
 * @param ms a safe integer ≥ 0
 */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0)
    throw new RangeError('a duration is a whole number of milliseconds, not negative');
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const [unit, length] of units) {
    if (unit === 'y' || unit === 'w') continue;
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text;
}

/**
 * Zod schema of a duration in configuration: text in, milliseconds out. Give defaults with `.prefault('90d')`, so that
 * they read like the file.
 */
export const durationSchema = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});
