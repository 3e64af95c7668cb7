/**
 * Sweep: heartbeats of supervisors have a partition for each of these days, and none for those past.
 *
 * Law: by the database's clock; one process at a time is enough.
 */
import { tendHeartbeats } from '@makima/engine/supervisor/heartbeats';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function heartbeatDays(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'heartbeat-days',
    intervalMs: 10 * 60_000,
    who: 'one',
    limit: Number.POSITIVE_INFINITY,
    round: () => tendHeartbeats(deps.engine),
  });
}
