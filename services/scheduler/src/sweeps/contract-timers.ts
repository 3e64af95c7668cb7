/**
 * Sweep: contracts for which a time has come: a grace that is over, a clean-up that came to a halt.
 *
 * Law: by the database's clock only; it asks for the job, the job does the work.
 */
import { runContractTimers } from '@makima/engine/contract/timers';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function contractTimers(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'contract-timers',
    intervalMs: 5_000,
    who: 'one',
    round: (limit) => runContractTimers(deps.engine, { limit }),
  });
}
