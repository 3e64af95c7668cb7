/**
 * Sweep: attempts whose lease ran out are given up, their slots are free, and what follows is a job.
 *
 * Law: by the database's clock only.
 */
import { expireLeases } from '@makima/engine/daemon/expire-leases';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function expiredLeases(
  deps: SweepDeps & { readonly settled: () => Promise<boolean> },
): Sweep {
  return createSweep(deps, {
    name: 'expired-leases',
    intervalMs: 1_000,
    when: deps.settled,
    round: (limit) => expireLeases(deps.engine, { limit }),
  });
}
