/**
 * End a task on purpose: its status at once, its agent by a command; its work is kept on a ref by the
 * daemon. An intent is respected: nothing starts it again.
 */
import { channels } from '@makima/contracts/channels';
import type { Task } from '@makima/contracts/entity/task';
import { checkTaskTransition, isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { changeAttempt, findAttempt } from '@makima/db/repo/attempts';
import { appendCommand } from '@makima/db/repo/daemons';
import { changeTask } from '@makima/db/repo/tasks';
import { saveCondition } from '@makima/db/repo/supervisors';
import type { TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedTask, readableTask, requireLead } from '../authorize.ts';
import { presentTask } from '../present/task.ts';
import { afterTaskEnd } from './complete.ts';

/** What an agent is given to end by itself before it is killed. */
export const stopGraceMs = 5_000;

export function cancelTask(
  engine: Engine,
  call: Call,
  input: { id: string; reason?: string | undefined },
): Promise<Acted<Task>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    const supervisor = await requireLead(a, seen.contractId, 'cancel tasks');
    const task = await lockedTask(a.tx, a.caller, input.id);
    if (supervisor?.id === task.id)
      throw new MakimaError('FORBIDDEN', 'a supervisor cannot cancel itself');
    const verdict = checkTaskTransition(task.status, 'cancelled');
    if (!verdict.ok)
      throw new MakimaError('INVALID_TRANSITION', verdict.reason, {
        details: { status: task.status },
        fix: 'it has ended already: makima tasks show has what became of it',
      });
    const row = await stopTask(a, task, {
      status: 'cancelled',
      reason: 'cancelled',
      words: input.reason ?? `cancelled by ${a.caller.name}`,
    });
    return presentTask(row);
  });
}

export interface Stop {
  readonly status: 'cancelled' | 'done' | 'paused';
  readonly reason: 'cancelled' | 'completed' | 'paused';
  readonly words: string;
}

/** The caller holds the task's lock. */
export async function stopTask(a: Act, task: TaskRow, stop: Stop): Promise<TaskRow> {
  if (isTaskFinal(task.status)) return task;
  await stopAgent(a, task, stop.reason);
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    set: {
      status: stop.status,
      session: 'none',
      errorMessage: stop.status === 'done' ? null : stop.words,
      finishedAt: stop.status === 'paused' ? null : a.now,
    },
  });
  if (row === undefined) return task;
  const type =
    stop.status === 'cancelled'
      ? 'task.cancelled'
      : stop.status === 'done'
        ? 'task.completed'
        : 'task.interrupted';
  a.emit(type, {
    contractId: row.contractId,
    taskId: row.id,
    data: {
      name: row.name,
      attempt: row.currentAttempt,
      reason: stop.words,
      isSupervisor: row.isSupervisor,
    },
  });
  if (row.isSupervisor && stop.status === 'cancelled')
    await saveCondition(a.tx, { taskId: row.id, state: 'failed', activity: stop.words });
  if (stop.status !== 'paused') await afterTaskEnd(a, row);
  return row;
}

/** Tell the daemon; an attempt that it has not begun ends here. */
async function stopAgent(a: Act, task: TaskRow, reason: Stop['reason']): Promise<void> {
  if (task.currentAttempt === 0 || task.homeDaemonId === null) return;
  const attempt = await findAttempt(a.tx, { taskId: task.id, attempt: task.currentAttempt });
  if (attempt === undefined || (attempt.state !== 'assigned' && attempt.state !== 'running'))
    return;
  await changeAttempt(a.tx, {
    taskId: task.id,
    attempt: task.currentAttempt,
    from: ['assigned', 'running'],
    set: { reason },
  });
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId: attempt.daemonId,
    taskId: task.id,
    attempt: task.currentAttempt,
    command: {
      kind: 'task.stop',
      taskId: task.id,
      attempt: task.currentAttempt,
      reason,
      graceMs: stopGraceMs,
    },
  });
  a.hint(channels.daemonWake(attempt.daemonId));
}
