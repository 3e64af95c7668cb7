/**
 * Sweep: owners with pending tasks get a placement, whether or not a ticket asked for it.
 *
 * Law: the same placement as the job's, one at a time per owner.
 */
import { ownersWithPending } from '@makima/engine/task/owners-with-pending';
import type { PlaceOwner } from '../jobs/spawn-task.ts';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function pendingTasks(deps: SweepDeps & { readonly place: PlaceOwner }): Sweep {
  return createSweep(deps, {
    name: 'pending-tasks',
    intervalMs: 5_000,
    who: 'one',
    limit: Number.POSITIVE_INFINITY,
    round: async () => {
      const owners = await ownersWithPending(deps.engine);
      for (const ownerId of owners) await deps.place(ownerId);
      return 0;
    },
  });
}
