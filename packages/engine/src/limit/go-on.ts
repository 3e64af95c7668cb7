/**
 * An agent that met a usage limit goes on in its conversation: by itself when the limit ends (sweep of the
 * scheduler), or by a person's word before.
 *
 * Law: once per attempt, and only where its contract may work. No retry is counted.
 */
import { mayWork } from '@makima/domain/contract';
import { limitsOver, liftLimit } from '@makima/db/repo/agent-limits';
import { findContract } from '@makima/db/repo/contracts';
import { findDaemon } from '@makima/db/repo/daemons';
import { lockTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { sendMessage } from '../message/send.ts';
import { wakeResting } from '../supervisor/wake.ts';
import { pendingAgain } from '../task/pending-again.ts';
import { accountOf } from './account.ts';

export async function resumeAfterLimits(engine: Engine, input: { limit: number }): Promise<number> {
  const due = await limitsOver(engine.database.sql, input);
  await eachRow(due, async ({ id, ownerId, currentAttempt }) => {
    const caller = { kind: 'system', ownerId, name: 'limits-over' } as const;
    await act(engine, { caller }, async (a) => {
      const task = await lockTask(a.tx, { ownerId, id });
      const over = task?.resumeAt != null && task.resumeAt <= a.now;
      if (over && task.currentAttempt === currentAttempt)
        await goOnAfterLimit(a, task, 'its usage limit is over');
    });
  });
  return due.length;
}

/** The caller holds the task. Undefined: it is not limited, or its contract rests. */
export async function goOnAfterLimit(
  a: Act,
  task: TaskRow,
  why: string,
): Promise<TaskRow | undefined> {
  if (task.session !== 'limited' || task.status !== 'paused') return undefined;
  if (task.isSupervisor) return wakeResting(a, task, 'limit');
  const contract =
    task.contractId === null
      ? undefined
      : await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  if (contract !== undefined && !mayWork(contract.status)) return undefined;
  const row = await pendingAgain(a, task);
  if (row === undefined) return undefined;
  await sendMessage(a, {
    taskId: task.id,
    text: `[Continue] You were stopped by a usage limit (${why}). Your conversation and working directory are as they were. Look at what is done, then finish the task.`,
    mode: 'steer',
    source: 'retry',
    sourceId: null,
  });
  a.emit('task.retried', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt: task.currentAttempt + 1, why, name: task.name },
  });
  a.mail(
    'spawn-task',
    { taskId: task.id },
    { entityId: task.id, fence: `limit-over-${task.currentAttempt}` },
  );
  return row;
}

/** A person's word lets the whole account be used again: whoever is held back is tried too. */
export async function liftLimitOf(a: Act, task: TaskRow): Promise<void> {
  const { ownerId } = a;
  if (task.homeDaemonId === null) return;
  const daemon = await findDaemon(a.tx, { ownerId, id: task.homeDaemonId });
  if (daemon === undefined) return;
  await liftLimit(a.tx, { ownerId, agent: task.agent, account: accountOf(daemon, task.agent) });
  const fence = `lifted-${a.now.getTime().toString(36)}`;
  a.mail('spawn-task', { taskId: null }, { entityId: task.id, fence });
}
