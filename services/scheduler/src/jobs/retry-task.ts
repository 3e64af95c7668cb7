/**
 * Job `retry-task`: decide what follows an attempt that ended badly: the next attempt, or failure.
 *
 * Law: fenced by the attempt in the ticket; a task that went on meanwhile is left alone.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { decideRetryTask } from '@makima/engine/task/retry';

export function retryTask(engine: Engine): JobHandler<'retry-task'> {
  return async ({ ownerId, taskId, attempt }, { log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'retry-task' };
    const { result } = await decideRetryTask(engine, caller, { taskId, attempt });
    if (result !== 'nothing') log.info({ taskId, attempt, outcome: result }, 'retry decided');
  };
}
