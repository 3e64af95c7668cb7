/**
 * Sweep: supervisors that have waited long enough give up their process.
 *
 * Law: by the database's clock only; it asks their daemons, whose reports park them.
 */
import { parkWaiting } from '@makima/engine/supervisor/park';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function waitingSupervisors(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'waiting-supervisors',
    intervalMs: 1_000,
    who: 'one',
    round: (limit) => parkWaiting(deps.engine, { limit }),
  });
}
