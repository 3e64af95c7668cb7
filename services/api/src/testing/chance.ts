/** Chance that can be repeated: the same seed, the same choices. */

export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  of<T>(things: readonly T[]): T;
  yes(share: number): boolean;
}

/** Mulberry32. */
export function chance(seed: number): Chance {
  let state = Math.imul(seed, 0x9e3779b1);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    of: <T>(things: readonly T[]) => things[Math.floor(next() * things.length)] as T,
    yes: (share) => next() < share,
  };
}
