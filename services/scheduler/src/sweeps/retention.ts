/**
 * Sweep: rows that have outlived their use are removed: expired idempotency keys, commands long acked, dead
 * tool keys.
 *
 * Law: bounded work per round; by the database's clock only.
 */
import { pruneExpired } from '@makima/engine/retention/prune';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function retention(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'retention',
    intervalMs: 10 * 60_000,
    who: 'one',
    limit: 1_000,
    round: (limit) => pruneExpired(deps.engine, { limit }),
  });
}
