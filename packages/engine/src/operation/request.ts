/** Looks at a task's work that its machine takes: a checkpoint, a diff. */
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { nextCheckpointNumber } from '@makima/db/repo/checkpoints';
import {
  lockedTask,
  readableTask,
  requireLead,
  requirePerson,
  requirePresent,
} from '../authorize.ts';
import { order } from './order.ts';

/** An agent's own task only, or by its supervisor or a person. */
export function requestCheckpoint(
  engine: Engine,
  call: Call,
  input: { id: string; message: string },
): Promise<Acted<{ operationId: string; checkpointNumber: number }>> {
  return act(engine, call, async (a) => {
    await readableTask(a.tx, a.caller, input.id);
    if (a.caller.kind === 'agent') await requirePresent(a, a.caller);
    else requirePerson(a.caller, 'make checkpoints');
    const task = await lockedTask(a.tx, a.caller, input.id);
    const number = await nextCheckpointNumber(a.tx, { taskId: task.id });
    const operation = await order(a, {
      task,
      kind: 'task.checkpoint',
      asked: { number, message: input.message },
      command: (operationId) => ({
        kind: 'task.checkpoint',
        operationId,
        taskId: task.id,
        attempt: task.currentAttempt,
        number,
        message: input.message,
      }),
    });
    return { operationId: operation.id, checkpointNumber: number };
  });
}

/** Against where the task began. Whoever looks while somebody else does sees the same. */
export function requestDiff(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<{ operationId: string }>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    await requireLead(a, seen.contractId, 'ask for diffs');
    const task = await lockedTask(a.tx, a.caller, input.id);
    const operation = await order(a, {
      task,
      kind: 'task.diff',
      asked: {},
      join: 'pending',
      command: (operationId) => ({
        kind: 'task.diff',
        operationId,
        taskId: task.id,
        attempt: task.currentAttempt,
      }),
    });
    return { operationId: operation.id };
  });
}
