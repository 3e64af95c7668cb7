/**
 * Says the same thing once in ten seconds. What fails, fails in a loop, and a log that repeats one line a
 * thousand times a second hides everything else.
 *
 * Law: the first time is always said; `again()` makes the next one a first time.
 */

const quietMs = 10_000;

export interface Quiet {
  /** Call `say`, unless something was said within the last ten seconds. */
  (say: () => void): void;
  /** Forget that anything was said. */
  again(): void;
}

export function quietly(): Quiet {
  let quietUntil = 0;
  const quiet = (say: () => void): void => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + quietMs;
    say();
  };
  return Object.assign(quiet, { again: () => void (quietUntil = 0) });
}
