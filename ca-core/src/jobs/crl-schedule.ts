/**
 * When a CRL is made: pure functions of times. A change of status is published at once where that is cheap, and with at
 * most a tenth of the time spent on it where the CRL is large; without any change a new one is made after the period.
 * Waiting is measured by a clock that never jumps, validity by the one that tells the time.
 */

/** Relying parties allow for clocks that differ by so much. */
const toleranceMs = 300_000;

/** How often a kind of CRL is made, and how long it outlives the time of its successor; milliseconds. */
export type CrlRhythm = { readonly period: number; readonly overlap: number };

/** What is known of the last time that a CRL was made. Monotonic milliseconds. */
export type LastBuild = { readonly endedAt: number; readonly durationMs: number; readonly entries: number };

/** Changes that come close together go onto one CRL. */
export const debounceMs = 50;

/** So many times as long as a CRL took, no other one is made because of a change. */
const restFactor = 9;

/** A CRL with no more entries is small: what it takes is mostly waiting for others. */
const smallCrlEntries = 10_000;
const longestRestOfSmallMs = 250;

/** When a CRL is made for changes of which the first was known at `changedAt`. Monotonic milliseconds. */
export function eventBuildAt(changedAt: number, last: LastBuild | undefined): number {
  const earliest = changedAt + debounceMs;
  if (last === undefined) return earliest;
  const restMs = last.durationMs * restFactor;
  return Math.max(earliest, last.endedAt + (isSmall(last.entries) ? Math.min(restMs, longestRestOfSmallMs) : restMs));
}

/** Whether a CRL is made without being held up by a large one. */
export function isSmall(entries: number): boolean {
  return entries <= smallCrlEntries;
}

/** How long to wait after a CRL could not be made, `failures` times on end. */
export function retryDelayMs(failures: number): number {
  return Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 10));
}

/**
 * Times of a CRL that is made now, whole seconds. thisUpdate does not go back when the clock is set right by a little
 * (RFC 5280 §5.1.2.4); after more, the former one was wrong and is not repeated.
 */
export function crlValidity(
  now: number,
  rhythm: CrlRhythm,
  previousThisUpdate: number | undefined,
): { readonly thisUpdate: number; readonly nextUpdate: number } {
  const time = Math.floor(now / 1000) * 1000;
  const isKept =
    previousThisUpdate !== undefined && previousThisUpdate > time && !isFromTheFuture(now, previousThisUpdate);
  const thisUpdate = isKept ? previousThisUpdate : time;
  return { thisUpdate, nextUpdate: thisUpdate + rhythm.period + rhythm.overlap };
}

/** Whether a CRL is to be replaced although nothing has changed: its time is over, or has not come. */
export function isPeriodOver(now: number, thisUpdate: number, rhythm: CrlRhythm): boolean {
  return now >= thisUpdate + rhythm.period || isFromTheFuture(now, thisUpdate);
}

function isFromTheFuture(now: number, thisUpdate: number): boolean {
  return thisUpdate > now + toleranceMs;
}

/** Whether its replacement is so late that somebody must look: what is left is a third of the overlap. */
export function isLate(now: number, nextUpdate: number, rhythm: CrlRhythm): boolean {
  return now >= nextUpdate - rhythm.overlap / 3;
}

/** The number for a CRL that is made now: from the time, so that it rises also after a restore, and above the last one. */
export function nextCrlNumber(now: number, last: number): number {
  return Math.max(last + 1, Math.floor(now));
}
