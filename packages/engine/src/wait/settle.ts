/**
 * Waits that something just ended: judged by the rule in the transaction that ended it, so that nobody
 * polls and nobody is forgotten. A waiter without a process is woken by mail.
 */
import { channels } from '@makima/contracts/channels';
import { waitSatisfied, type Wait } from '@makima/domain/wait';
import { endWait, openWaitsFor, statusesOf } from '@makima/db/repo/waits';
import { findTask } from '@makima/db/repo/tasks';
import { findSupervisor } from '@makima/db/repo/supervisors';
import { afterWake } from '@makima/domain/supervisor';
import type { WaitRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { savePoint } from '../save-point.ts';

/** Answers whether any wait was satisfied. */
export async function settleWaits(a: Act, ended: { targetId: string }): Promise<boolean> {
  const waits = await openWaitsFor(a.tx, { ownerId: a.ownerId, targetId: ended.targetId });
  let any = false;
  for (const row of waits) {
    if (row.kind !== 'tasks_any' && row.kind !== 'tasks_all') continue;
    const verdict = waitSatisfied(
      waitOf(row),
      {
        tasks: await statusesOf(a.tx, { ownerId: a.ownerId, ids: row.targetIds }),
        questions: new Map(),
        events: [],
      },
      a.now,
    );
    if (verdict.kind !== 'satisfied') continue;
    any = (await satisfy(a, row)) || any;
  }
  return any;
}

export function waitOf(row: WaitRow): Wait {
  return {
    kind: row.kind as 'tasks_any' | 'tasks_all',
    taskIds: row.targetIds,
    deadline: row.until,
  };
}

async function satisfy(a: Act, row: WaitRow): Promise<boolean> {
  if (!(await endWait(a.tx, { id: row.id, state: 'satisfied' }))) return false;
  a.hint(channels.waitDone(row.id));
  a.emit('wait.satisfied', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: { waitId: row.id, kind: row.kind, targets: row.targetIds },
  });
  if (row.taskId !== null) await wakeWaiter(a, row.taskId);
  return true;
}

/** Its save point; and when it has no process, the job that starts it. */
export async function wakeWaiter(a: Act, taskId: string): Promise<void> {
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: taskId });
  if (task === undefined) return;
  const supervisor = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId });
  if (supervisor !== undefined && supervisor.state === 'waiting_for_tasks')
    await savePoint(a, task, afterWake(supervisor.progress));
  if (task.session === 'parked') {
    a.mail(
      'wake-supervisor',
      { taskId, attempt: task.currentAttempt },
      { entityId: taskId, fence: task.currentAttempt },
    );
  }
}
