/** The well-known Duration of the contract, and its conversion from and to milliseconds. */
import type { Duration } from './generated/google/protobuf/duration.ts';

export { Duration } from './generated/google/protobuf/duration.ts';

/** Milliseconds as a Duration. */
export function durationFromMs(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** A Duration in milliseconds. */
export function durationToMs(duration: Duration): number {
  return duration.seconds * 1000 + duration.nanos / 1e6;
}
