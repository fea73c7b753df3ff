/** Durations and points in time, as people write them behind options. */
import { DurationError, parseDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';

/** A duration like `90d` in milliseconds. Throws FatalError that names the option. */
export function durationOf(option: string, value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof DurationError) throw new FatalError(`${option}: ${error.message}`);
    throw error;
  }
}

/** A date (`2030-01-31`, `2030-01-31T12:00:00Z`), or a duration from now on. */
export function futureTime(option: string, value: string, now = new Date()): Date {
  return dateOf(option, value) ?? new Date(now.getTime() + timeSpan(option, value));
}

/** The same for an end that has to lie ahead. Throws FatalError that names the option. */
export function timeToCome(option: string, value: string, now = new Date()): Date {
  const time = futureTime(option, value, now);
  if (time > now) return time;
  throw new FatalError(`${option}: ${time.toISOString().slice(0, 19)}Z is over`, {
    hint: "write a date that is to come, or a duration from now on like '30d'",
  });
}

/** A date, or a duration back from now. */
export function pastTime(option: string, value: string, now = new Date()): Date {
  return dateOf(option, value) ?? new Date(now.getTime() - timeSpan(option, value));
}

function dateOf(option: string, value: string): Date | undefined {
  if (!/^\d{4}-\d/.test(value)) return undefined;
  const date = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(value)
    ? new Date(value)
    : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) throw notATime(option, value);
  return date;
}

function timeSpan(option: string, value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof DurationError) throw notATime(option, value);
    throw error;
  }
}

function notATime(option: string, value: string): FatalError {
  return new FatalError(`${option}: '${value.slice(0, 64)}' is neither a date nor a duration`, {
    hint: "write a date like '2030-01-31' or '2030-01-31T12:00:00Z', or a duration like '30d'",
  });
}
