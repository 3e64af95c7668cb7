// Waiting for what no event announces: a file that grows, an answer of the API that changes.
// Law: the time in which it must come is part of the wait, and its end says what was there instead.
import { setTimeout as pause } from 'node:timers/promises';

const lookAgainMs = 40;

export interface Patience {
  /** What is waited for, in words. */
  readonly what: string;
  readonly withinMs?: number;
}

/** Looks again and again until it fits. @throws with the last thing seen when it does not come in time. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  fits: (value: T) => boolean,
  { what, withinMs = 30_000 }: Patience,
): Promise<T> {
  const limit = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (fits(value)) return value;
    if (performance.now() > limit) {
      const seen = JSON.stringify(value)?.slice(0, 2_000);
      throw new Error(`${what} did not come in ${withinMs} ms; there was ${seen}`);
    }
    await pause(lookAgainMs);
  }
}
