/**
 * Sweep: waits with a time whose time is over end, and their waiters are woken.
 *
 * Law: by the database's clock only.
 */
import { expireWaits } from '@makima/engine/wait/expire';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function dueWaits(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'due-waits',
    intervalMs: 1_000,
    round: (limit) => expireWaits(deps.engine, { limit }),
  });
}
