/**
 * Sweep: agents whose usage limit is over go on.
 *
 * Law: by the database's clock only; it is the timer, and needs no ticket.
 */
import { resumeAfterLimits } from '@makima/engine/limit/go-on';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function limitsOver(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'limits-over',
    intervalMs: 1_000,
    who: 'one',
    round: (limit) => resumeAfterLimits(deps.engine, { limit }),
  });
}
