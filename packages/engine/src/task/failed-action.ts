/** A completion action that did not succeed: its task's supervisor is told, and goes on by hand. */
import { findContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import type { OperationRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { wordsOf } from '../operation/words.ts';

/** Who asks, as it stands in the operation's row. */
export const completionAction = 'completion action';

/** Of any operation: nothing is told unless a completion action ordered it, and it failed. */
export async function tellFailedAction(a: Act, operation: OperationRow): Promise<void> {
  if (operation.requestedBy !== completionAction || operation.taskId === null) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: operation.taskId });
  const why = failureOf(operation);
  if (task !== undefined && why !== null) await tellSupervisor(a, task, why);
}

export function failureOf({ state, error, result }: OperationRow): string | null {
  if (state === 'failed') return wordsOf(error) ?? 'it failed';
  const notMerged = result?.['kind'] === 'branch.merge' && result['success'] !== true;
  if (notMerged) return String(result['message']);
  const notBrought = result?.['kind'] === 'branch.hand_over' && result['commitSha'] === null;
  return notBrought ? String(result['note']) : null;
}

export async function tellSupervisor(a: Act, task: TaskRow, why: string): Promise<void> {
  a.emit('task.action_failed', {
    contractId: task.contractId,
    taskId: task.id,
    data: { name: task.name, action: task.completionAction, reason: why.slice(0, 1_000) },
  });
  if (task.contractId === null) return;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  const supervisorId = contract?.supervisorTaskId;
  if (supervisorId == null) return;
  await sendMessage(a, {
    taskId: supervisorId,
    text: `[Completion action failed] "${task.completionAction}" of ${task.name} (${task.id}): ${why.slice(0, 2_000)}. Its work is where it was; go on by hand.`,
    // Within its turn: what it does now may build on this work.
    mode: 'steer',
    source: 'notice',
    sourceId: task.id,
  });
}
