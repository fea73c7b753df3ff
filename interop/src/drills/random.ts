// Randomness that can be had again: a drill prints its seed, and the same seed makes the same choices.

/** A number from 0 to below 1. */
export type Random = () => number;

/** Mulberry32: small, and good enough to choose who is killed next. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this run: DRILL_SEED where it is set, else another one each time. */
export function chooseSeed(): number {
  const wanted = Number(process.env.DRILL_SEED);
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : 1 + Math.floor(Math.random() * 2 ** 31);
}
