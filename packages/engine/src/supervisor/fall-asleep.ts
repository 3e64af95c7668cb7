/**
 * What follows when a supervisor's process has ended because it only waits: nobody holds for its answers any
 * more, its place is free, and what came meanwhile wakes it at once.
 *
 * Law: whatever may wake it takes one of the locks that are taken here, and looks at its session after that:
 * either it sees it parked, or what it brought is seen here.
 */
import { lockMailbox } from '@makima/db/repo/locks';
import { releaseQuestions } from '@makima/db/repo/parking';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { mailWake } from './mail-wake.ts';
import { newsOf } from './wake.ts';

/** The caller holds the task, whose row says `parked` already. */
export async function fallAsleep(a: Act, task: TaskRow): Promise<void> {
  await releaseQuestions(a.tx, { taskId: task.id });
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  await lockMailbox(a.tx, { taskId: task.id });
  a.emit('supervisor.parked', {
    contractId: task.contractId,
    taskId: task.id,
    data: { epoch: task.currentAttempt, state: supervisor?.state ?? null },
  });
  a.mail(
    'spawn-task',
    { taskId: null },
    { entityId: task.id, fence: `room-${task.currentAttempt}` },
  );
  const news = await newsOf(a, task);
  if (news !== undefined && news.reason !== null) mailWake(a, task);
}
