/**
 * The client's own randomness: keys of idempotent requests and the jitter of its waits.
 *
 * Why: everything else in this package is a function of its arguments.
 * Law: the only file of the package that draws random numbers or reads the clock.
 */
import { mintId } from '@makima/contracts/ids';

/** A fresh Idempotency-Key: a UUIDv7. */
export function freshKey(): string {
  return mintId(Date.now(), globalThis.crypto.getRandomValues(new Uint8Array(10)));
}

/** A number in [0, 1). */
export type Chance = () => number;

export const chance: Chance = () => Math.random();

/** Milliseconds since the epoch. */
export const nowMs = (): number => Date.now();
