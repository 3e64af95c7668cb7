/**
 * Sweep: daemons that the rows call connected but that were not heard of: their gateway died without a word.
 *
 * Law: it says only that the connection is gone; leases go on and end by themselves.
 */
import { disconnectSilent } from '@makima/engine/daemon/disconnect';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

/** Four heartbeats and a half. */
const silentMs = 45_000;

export function silentDaemons(
  deps: SweepDeps & { readonly settled: () => Promise<boolean> },
): Sweep {
  return createSweep(deps, {
    name: 'silent-daemons',
    intervalMs: 5_000,
    limit: Number.POSITIVE_INFINITY,
    when: deps.settled,
    round: () => disconnectSilent(deps.engine, { silentMs }),
  });
}
