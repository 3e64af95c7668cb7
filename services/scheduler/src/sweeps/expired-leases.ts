/**
 * Sweep: attempts whose lease ran out are given up, their slots are free, and what follows is a job.
 *
 * Law: by the database's clock only.
 */
import { expireLeases } from '@makima/engine/daemon/expire-leases';
import type { Settled } from './settled.ts';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function expiredLeases(deps: SweepDeps & { readonly settled: Settled }): Sweep {
  return createSweep(deps, {
    name: 'expired-leases',
    intervalMs: 1_000,
    when: () => deps.settled({ silentMs: deps.engine.settings.leaseMs }),
    round: (limit) => expireLeases(deps.engine, { limit }),
  });
}
