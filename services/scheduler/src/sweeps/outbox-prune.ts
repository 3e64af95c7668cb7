/**
 * Sweep: outbox rows that were relayed long ago are of no more use.
 *
 * Law: only what was published is removed, a day later.
 */
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function outboxPrune(deps: SweepDeps & { readonly prune: () => Promise<number> }): Sweep {
  return createSweep(deps, {
    name: 'outbox-prune',
    intervalMs: 10 * 60_000,
    who: 'one',
    limit: Number.POSITIVE_INFINITY,
    round: () => deps.prune(),
  });
}
