// For how long an answer may be kept by HTTP caches, RFC 5019 §6.2: until shortly before its nextUpdate, or shorter where
// the operator wants a revocation to be seen sooner. What is not signed is never kept.

/** From when to when an answer holds; epoch milliseconds. */
export type Times = { readonly thisUpdate: number; readonly nextUpdate: number };

/** For what nobody may keep: errors, and answers that are for one request alone. */
export const doNotStore: readonly string[] = ['Cache-Control', 'no-store'];

/** Caches ask again so long before the end, or a twentieth of the whole time for what lives shortly. */
const longestMarginMs = 60_000;

/** The value of Cache-Control. @param now epoch milliseconds @param longestMs of the operator */
export function cacheControl({ thisUpdate, nextUpdate }: Times, now: number, longestMs: number | undefined): string {
  const marginMs = Math.min(longestMarginMs, (nextUpdate - thisUpdate) / 20);
  const restMs = nextUpdate - marginMs - now;
  const seconds = Math.max(0, Math.floor(Math.min(restMs, longestMs ?? restMs) / 1000));
  return `public, max-age=${seconds}, no-transform, must-revalidate`;
}
