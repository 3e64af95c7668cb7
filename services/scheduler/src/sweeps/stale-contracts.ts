/**
 * Sweep: incidents of contracts in which nothing moves, opened and closed.
 *
 * Law: by the database's clock only; a process at a time is enough.
 */
import { watchStale } from '@makima/engine/contract/stale';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function staleContracts(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'stale-contracts',
    intervalMs: deps.engine.settings.staleDetectionMs,
    who: 'one',
    round: (limit) => watchStale(deps.engine, { limit }),
  });
}
