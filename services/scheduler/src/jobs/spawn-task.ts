/**
 * Job `spawn-task`: place what is pending. The ticket names an owner; which tasks start where is read from
 * the rows, so one run serves every ticket that came before it.
 *
 * Law: one placement at a time per owner in this process; across processes the verb's own lock does it.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { assignPending, placementBatch } from '@makima/engine/task/assign';
import { oneAtATime } from './one-at-a-time.ts';

/** Places the pending tasks of an owner; also what the sweep calls. */
export type PlaceOwner = (ownerId: string) => Promise<void>;

export function placeOwner(engine: Engine): PlaceOwner {
  return oneAtATime(async (ownerId) => {
    const caller = { kind: 'system' as const, ownerId, name: 'spawn-task' };
    for (;;) {
      const { result } = await assignPending(engine, caller);
      // A full run that placed something may have left more behind it.
      const seen = result.assigned.length + result.unplaced.length;
      if (result.assigned.length === 0 || seen < placementBatch) return;
    }
  });
}

export function spawnTask(place: PlaceOwner): JobHandler<'spawn-task'> {
  return ({ ownerId }) => place(ownerId);
}
