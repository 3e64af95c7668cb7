/**
 * What the end of an agent of a directive leaves: its open questions are withdrawn, and its working directory
 * is removed once no process of it is left. What it committed stays on a named ref.
 */
import { channels } from '@makima/contracts/channels';
import { isTaskFinal, isAttemptLive } from '@makima/domain/task';
import { findAttempt } from '@makima/db/repo/attempts';
import { appendCommand } from '@makima/db/repo/daemons';
import { insertOperation, operationsOfTask } from '@makima/db/repo/operations';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { withdrawOfTask } from '../contract/withdraw-questions.ts';

/** The caller holds the task's lock. Nothing for a task of a contract, or one that goes on. */
export async function directiveTaskOver(a: Act, task: TaskRow): Promise<void> {
  if (task.contractId !== null || !isTaskFinal(task.status)) return;
  await withdrawOfTask(a, task);
  await removeDirectory(a, task);
}

async function removeDirectory(a: Act, task: TaskRow): Promise<void> {
  const { homeDaemonId: daemonId, currentAttempt: attempt } = task;
  if (daemonId === null || attempt === 0) return;
  const newest = await findAttempt(a.tx, { taskId: task.id, attempt });
  if (newest !== undefined && isAttemptLive(newest.state)) return;
  const ordered = await operationsOfTask(a.tx, { taskId: task.id, kind: 'workdir.clean' });
  if (ordered.length > 0) return;
  const operation = await insertOperation(a.tx, {
    ownerId: a.ownerId,
    contractId: null,
    taskId: task.id,
    attempt,
    daemonId,
    kind: 'workdir.clean',
    requestedBy: a.caller.name,
    request: {},
  });
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    taskId: task.id,
    attempt,
    command: { kind: 'workdir.clean', operationId: operation.id, taskId: task.id, attempt },
  });
  a.hint(channels.daemonWake(daemonId));
}
