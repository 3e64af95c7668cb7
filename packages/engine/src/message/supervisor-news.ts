/**
 * News of tasks for a supervisor whose turn is over: it holds no wait and would not hear of them. Told when
 * a task ends while it is idle, and when its turn ends for what has ended during the turn, waits whose time
 * ran out included.
 *
 * Law: once per task; what it waited for, merged or cancelled it knows.
 */
import { lockSupervisorOf } from '@makima/db/repo/supervisors';
import { untoldTasks } from '@makima/db/repo/tasks';
import { seeTold, tellTimeouts } from '@makima/db/repo/waits';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendDigest } from '../wait/settle.ts';
import { sendMessage } from './send.ts';

/** The supervisor's row is held: a turn that ends meanwhile sees the end of this task. */
export async function tellIfIdle(
  a: Act,
  task: TaskRow,
  about: { readonly contractId: string; readonly woken: readonly string[] },
): Promise<void> {
  const { contractId, woken } = about;
  const supervisor = await lockSupervisorOf(a.tx, { ownerId: a.ownerId, contractId });
  if (supervisor?.state !== 'idle' || woken.includes(supervisor.taskId)) return;
  await tell(a, supervisor.taskId, task);
}

/** Its turn is over, and its row says so already. */
export async function tellWhatEnded(a: Act, supervisor: TaskRow): Promise<void> {
  if (supervisor.contractId === null) return;
  const ended = await untoldTasks(a.tx, {
    ownerId: a.ownerId,
    contractId: supervisor.contractId,
    supervisorTaskId: supervisor.id,
  });
  for (const task of ended) await tell(a, supervisor.id, task);
  await seeTold(a.tx, { taskId: supervisor.id });
  const timedOut = await tellTimeouts(a.tx, { taskId: supervisor.id });
  if (timedOut.length > 0) await sendDigest(a, supervisor, 'timed_out');
}

async function tell(a: Act, supervisorTaskId: string, task: TaskRow): Promise<void> {
  const said = task.errorMessage ?? task.outputSummary ?? '';
  await sendMessage(a, {
    taskId: supervisorTaskId,
    text: `[Task ${task.status}] ${task.name} (${task.id})${said === '' ? '' : `: ${said.slice(0, 1_000)}`}`,
    mode: 'queue',
    source: 'task',
    sourceId: task.id,
  });
}
