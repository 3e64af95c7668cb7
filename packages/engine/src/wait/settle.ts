/**
 * Waits that something just ended: judged by the rule in the transaction that ended it, so that nobody
 * polls and nobody is forgotten. A waiter without a process is woken by mail.
 */
import { channels } from '@makima/contracts/channels';
import { waitSatisfied, type Wait } from '@makima/domain/wait';
import { endWait, openWaitsFor, seeWait, statusesOf } from '@makima/db/repo/waits';
import { findContract } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { findTask, tasksOfContract } from '@makima/db/repo/tasks';
import { wakeDigest, type DigestFacts } from '@makima/domain/notice';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { afterWake } from '@makima/domain/supervisor';
import type { TaskRow, WaitRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { savePoint } from '../save-point.ts';
import { mailWake } from '../supervisor/mail-wake.ts';
import { digestTask } from '../supervisor/digest-task.ts';

/** Answers the tasks whose waits were satisfied, each told once; a person's wait wakes nobody else. */
export async function settleWaits(a: Act, ended: { targetId: string }): Promise<string[]> {
  const waits = await openWaitsFor(a.tx, { ownerId: a.ownerId, targetId: ended.targetId });
  const woken = new Map<string, string[]>();
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
    if (!(await satisfy(a, row)) || row.taskId === null) continue;
    woken.set(row.taskId, [...(woken.get(row.taskId) ?? []), row.id]);
  }
  for (const [taskId, waitIds] of woken) {
    // Who is told here need not be woken for it later.
    if (!(await wakeWaiter(a, taskId, 'satisfied'))) continue;
    for (const id of waitIds) await seeWait(a.tx, { id });
  }
  return [...woken.keys()];
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
  return true;
}

/**
 * Its save point; a digest when its turn is over and nobody holds a request for it; and when it has no
 * process, the job that starts it. Answers whether it was told here.
 */
export async function wakeWaiter(
  a: Act,
  taskId: string,
  why: 'satisfied' | 'timed_out',
): Promise<boolean> {
  // Held: a turn that ends or a park that is told at this very moment is seen, or sees that this has come.
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId });
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: taskId });
  if (task === undefined) return false;
  if (task.session === 'parked') {
    mailWake(a, task);
    return false;
  }
  if (supervisor?.state === 'waiting_for_tasks') {
    await savePoint(a, task, afterWake(why));
  }
  const isIdle = supervisor?.state === 'idle';
  if (isIdle) await sendDigest(a, task, why);
  return isIdle;
}

/** What became of what it waited for. */
export async function sendDigest(
  a: Act,
  task: TaskRow,
  reason: DigestFacts['reason'],
): Promise<void> {
  if (task.contractId === null) return;
  const about = { ownerId: a.ownerId, contractId: task.contractId };
  const [contract, tasks, open] = await Promise.all([
    findContract(a.tx, { ownerId: a.ownerId, id: task.contractId }),
    tasksOfContract(a.tx, about),
    openQuestionsOf(a.tx, about),
  ]);
  const text = wakeDigest({
    reason,
    phase: contract?.phase ?? '',
    tasks: tasks.filter((t) => !t.isSupervisor).map(digestTask),
    answers: [],
    openQuestions: open.map((q) => ({ id: q.id, question: q.question })),
  });
  await sendMessage(a, { taskId: task.id, text, mode: 'queue', source: 'wake', sourceId: null });
}
