/**
 * The end of a task by its own agent: done, or failed by its own word. Whoever waits is satisfied in the
 * same transaction, tasks that needed it may start, an idle supervisor is told, and the contract is looked
 * at.
 */
import { channels } from '@makima/contracts/channels';
import { needsVerdict } from '@makima/domain/task';
import { changeAttempt } from '@makima/db/repo/attempts';
import { touchContract } from '@makima/db/repo/contracts';
import { lockEnds } from '@makima/db/repo/locks';
import { saveCondition } from '@makima/db/repo/supervisors';
import { changeTask, tasksByIds, tasksNeeding } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { directiveTaskOver } from '../directive/task-over.ts';
import { refuseWhatIsUnread } from '../message/receipt.ts';
import { tellIfIdle } from '../message/supervisor-news.ts';
import { actOnCompletion } from './completion-action.ts';
import { settleWaits } from '../wait/settle.ts';

export interface Completion {
  readonly attempt: number;
  readonly summary: string;
  readonly commitSha: string | null;
}

/** Fenced by the attempt: false evidence of an older one never arrives here. */
export async function completeTask(a: Act, task: TaskRow, done: Completion): Promise<void> {
  await changeAttempt(a.tx, {
    taskId: task.id,
    attempt: done.attempt,
    from: ['assigned', 'running'],
    set: { state: 'done', summary: done.summary, endedAt: a.now },
  });
  await underWayAgain(a, task, done.attempt);
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: done.attempt,
    from: ['starting', 'running'],
    set: {
      status: 'done',
      session: 'none',
      outputSummary: done.summary.slice(0, 4_000),
      commitSha: done.commitSha,
      errorMessage: null,
      finishedAt: a.now,
    },
  });
  if (row === undefined) return;
  a.emit('task.completed', {
    contractId: row.contractId,
    taskId: row.id,
    data: {
      name: row.name,
      attempt: done.attempt,
      summary: done.summary.slice(0, 500),
      commitSha: done.commitSha,
    },
  });
  await afterTaskEnd(a, row);
  await actOnCompletion(a, row);
}

export async function failTask(
  a: Act,
  task: TaskRow,
  failure: { attempt: number; message: string; commitSha?: string | null },
): Promise<void> {
  await changeAttempt(a.tx, {
    taskId: task.id,
    attempt: failure.attempt,
    from: ['assigned', 'running'],
    set: { state: 'failed', reason: failure.message, endedAt: a.now },
  });
  await underWayAgain(a, task, failure.attempt);
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: failure.attempt,
    from: ['starting', 'running', 'interrupted'],
    set: {
      status: 'failed',
      session: 'none',
      errorMessage: failure.message.slice(0, 4_000),
      commitSha: failure.commitSha ?? task.commitSha,
      finishedAt: a.now,
    },
  });
  if (row === undefined) return;
  a.emit('task.failed', {
    contractId: row.contractId,
    taskId: row.id,
    data: {
      name: row.name,
      attempt: failure.attempt,
      error: failure.message.slice(0, 500),
      isSupervisor: row.isSupervisor,
    },
  });
  if (row.isSupervisor)
    await saveCondition(a.tx, {
      taskId: row.id,
      state: 'failed',
      activity: failure.message.slice(0, 200),
      errorMessage: failure.message,
    });
  await afterTaskEnd(a, row);
}

/**
 * It was paused, perhaps resumed, but its agent came to its end before the stop reached it: that end counts.
 * The way back to `running` is the table's.
 */
async function underWayAgain(a: Act, task: TaskRow, attempt: number): Promise<void> {
  const about = { ownerId: a.ownerId, id: task.id, attempt };
  if (task.status === 'pending')
    await changeTask(a.tx, { ...about, from: ['pending'], set: { status: 'starting' } });
  if (task.status === 'paused')
    await changeTask(a.tx, { ...about, from: ['paused'], set: { status: 'running' } });
}

/** What the end of any task sets in motion, however it ended. */
export async function afterTaskEnd(a: Act, task: TaskRow): Promise<void> {
  await lockEnds(a.tx, { taskIds: [task.id] });
  a.hint(channels.taskDone(task.id));
  await refuseWhatIsUnread(a, task);
  const woken = await settleWaits(a, { targetId: task.id });
  await releaseNeeds(a, task);
  a.mail(
    'spawn-task',
    { taskId: null },
    { entityId: task.id, fence: `room-${task.currentAttempt}` },
  );
  if (task.contractId === null) return directiveTaskOver(a, task);
  await touchContract(a.tx, { contractId: task.contractId, progress: 'yes' });
  a.mail(
    'evaluate-contract',
    { contractId: task.contractId },
    { entityId: task.contractId, fence: `${task.id}-${task.status}` },
  );
  if (!task.isSupervisor) await tellIfIdle(a, task, { contractId: task.contractId, woken });
}

/** Tasks that needed this one start when all they need is complete, or fail when it never will be. */
async function releaseNeeds(a: Act, task: TaskRow): Promise<void> {
  for (const waiting of await tasksNeeding(a.tx, { ownerId: a.ownerId, taskId: task.id })) {
    const needs = await tasksByIds(a.tx, { ownerId: a.ownerId, ids: waiting.needs });
    const verdict = needsVerdict(
      needs.map((n) => ({ taskId: n.id, name: n.name, status: n.status })),
    );
    if (verdict.kind === 'never')
      await abandon(
        a,
        waiting,
        verdict.because.map((n) => n.name),
      );
  }
}

async function abandon(a: Act, task: TaskRow, names: readonly string[]): Promise<void> {
  const message = `it needs ${names.join(', ')}, which did not complete`;
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['pending'],
    set: { status: 'cancelled', errorMessage: message, finishedAt: a.now },
  });
  if (row === undefined) return;
  a.emit('task.cancelled', {
    contractId: row.contractId,
    taskId: row.id,
    data: { name: row.name, reason: message },
  });
  await afterTaskEnd(a, row);
}
