/**
 * Sweep: daemons that the rows call connected but that were not heard of: their gateway died without a word.
 *
 * Law: it says only that the connection is gone; leases go on and end by themselves.
 */
import { disconnectSilent } from '@makima/engine/daemon/disconnect';
import type { Settled } from './settled.ts';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

/** Four heartbeats and a half. */
const silentMs = 45_000;

export function silentDaemons(deps: SweepDeps & { readonly settled: Settled }): Sweep {
  return createSweep(deps, {
    name: 'silent-daemons',
    intervalMs: 5_000,
    limit: Number.POSITIVE_INFINITY,
    when: () => deps.settled({ silentMs }),
    round: () => disconnectSilent(deps.engine, { silentMs }),
  });
}
