/**
 * Job `wake-supervisor`: start a parked supervisor again because what it waited for has come.
 *
 * Law: fenced by the attempt in the ticket; one that is awake already is left alone.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { wakeSupervisor as wake } from '@makima/engine/supervisor/wake';

export function wakeSupervisor(engine: Engine): JobHandler<'wake-supervisor'> {
  return async ({ ownerId, taskId, attempt }, { log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'wake-supervisor' };
    const { result } = await wake(engine, caller, { taskId, attempt });
    if (result !== 'nothing') log.info({ taskId, attempt }, 'supervisor woken');
  };
}
