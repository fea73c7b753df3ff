// Numbers that look random and are the same again for the same seed, so that what failed can be run again.

/** A source of numbers. */
export type Random = {
  /** From 0 up to, not including, `below`. */
  integer(below: number): number;
  bytes(length: number): Buffer;
  pick<T>(values: readonly [T, ...T[]]): T;
  /** A copy in another order. */
  shuffle<T>(values: readonly T[]): T[];
};

/** mulberry32: short, and good enough to be nobody's friend. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const integer = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
  return {
    integer,
    bytes: (length) => Buffer.from(Uint8Array.from({ length }, () => integer(0x100))),
    pick: (values) => values[integer(values.length)] ?? values[0],
    shuffle: (values) => {
      const rest = [...values];
      return values.flatMap(() => rest.splice(integer(rest.length), 1));
    },
  };
}
