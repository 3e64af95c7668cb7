/**
 * Sweep: adds up the rows of counts, so that reading a count stays as cheap as the number of its keys.
 *
 * Law: the sum takes the place of its rows in one statement; a process at a time.
 */
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function foldTallies(
  deps: SweepDeps & { readonly fold: (limit: number) => Promise<number> },
): Sweep {
  return createSweep(deps, {
    name: 'fold-tallies',
    intervalMs: 10_000,
    who: 'one',
    // A fold of everything is one round; rows that came meanwhile wait for the next.
    limit: Number.POSITIVE_INFINITY,
    round: () => deps.fold(1_000),
  });
}
