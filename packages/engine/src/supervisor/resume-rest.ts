/**
 * A supervisor that a person resumes, brought to rest first: refused while its agent runs, an attempt that
 * nobody is behind given up, a rest of its own ended. And what the person chose: a machine, a checkpoint.
 */
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { judgeResume } from '@makima/domain/resume';
import { isAttemptLive } from '@makima/domain/task';
import { findAttempt } from '@makima/db/repo/attempts';
import { findCheckpoint, lastCheckpoint } from '@makima/db/repo/checkpoints';
import { findDaemon } from '@makima/db/repo/daemons';
import { changeTask, findTask, lockTask } from '@makima/db/repo/tasks';
import type { ContractRow, DaemonRow, TaskRow } from '@makima/db/rows';
import { notFound } from '../authorize.ts';
import type { Act } from '../context.ts';
import { lockedTasks } from '../contract/pause.ts';
import { withdrawLimitQuestion } from '../limit/decide.ts';
import { liftLimitOf } from '../limit/go-on.ts';
import { loseAttempt } from '../task/lose-attempt.ts';

export async function lockedSupervisor(a: Act, contract: ContractRow): Promise<TaskRow> {
  const id = contract.supervisorTaskId;
  // The other tasks of one that rests go on with it: all are held in their order.
  if (!mayWork(contract.status)) await lockedTasks(a, contract);
  const task = id === null ? undefined : await lockTask(a.tx, { ownerId: a.ownerId, id });
  if (task !== undefined) return task;
  throw new MakimaError('SUPERVISOR_NOT_FOUND', 'this contract has no supervisor yet', {
    fix: `start it: makima contracts start ${contract.slug}`,
  });
}

export async function targetOf(a: Act, id: string | undefined): Promise<DaemonRow | undefined> {
  if (id === undefined) return undefined;
  const daemon = await findDaemon(a.tx, { ownerId: a.ownerId, id });
  if (daemon === undefined || daemon.status === 'revoked') throw notFound('daemon', id);
  return daemon;
}

/** The task without an agent: interrupted, or pending already. @throws ALREADY_RUNNING, INVALID_TRANSITION. */
export async function atRest(a: Act, contract: ContractRow, task: TaskRow): Promise<TaskRow> {
  const about = { taskId: task.id, attempt: task.currentAttempt };
  const attempt = await findAttempt(a.tx, about);
  const live = attempt !== undefined && isAttemptLive(attempt.state) ? attempt : undefined;
  const daemon =
    live === undefined
      ? undefined
      : await findDaemon(a.tx, { ownerId: a.ownerId, id: live.daemonId });
  const expiresAt = live?.leaseExpiresAt ?? null;
  const verdict = judgeResume(
    {
      contractStatus: contract.status,
      taskStatus: task.status,
      session: task.session,
      lease: expiresAt === null ? null : { expiresAt },
      daemonConnected: daemon?.status === 'connected',
    },
    a.now,
  );
  switch (verdict.kind) {
    case 'over':
      throw new MakimaError('INVALID_TRANSITION', verdict.reason, {
        details: { contractStatus: contract.status, taskStatus: task.status },
        fix: `see what it waits for: makima why ${contract.slug}`,
      });
    case 'runs':
      throw new MakimaError('ALREADY_RUNNING', 'the supervisor is running', {
        details: { taskId: task.id, attempt: task.currentAttempt, daemonId: live?.daemonId },
        fix: `send it a message instead, or stop it first: makima contracts pause ${contract.slug}`,
      });
    case 'lost':
      await loseAttempt(a, {
        ...about,
        why: 'daemon_lost',
        detail: 'its daemon was away when a person resumed it',
      });
      break;
    case 'rests':
      if (task.status === 'paused') await endRest(a, task);
  }
  return (await findTask(a.tx, { ownerId: a.ownerId, id: task.id })) ?? task;
}

/** Parked, limited or paused: the table's way leads through `interrupted`. */
async function endRest(a: Act, task: TaskRow): Promise<void> {
  if (task.session === 'limited') {
    await liftLimitOf(a, task);
    await withdrawLimitQuestion(a, task);
  }
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['paused'],
    set: { status: 'interrupted', session: 'none' },
  });
}

/** The commit to go back to: of the named checkpoint, else of the last one. */
export async function checkpointOf(a: Act, task: TaskRow, id: string | undefined): Promise<string> {
  const row =
    id === undefined
      ? await lastCheckpoint(a.tx, { taskId: task.id })
      : await findCheckpoint(a.tx, { ownerId: a.ownerId, id });
  if (row === undefined || row.taskId !== task.id) {
    const what =
      id === undefined ? 'the supervisor has no checkpoint' : 'it has no such checkpoint';
    throw new MakimaError('NOT_FOUND', what, {
      fix: `list them: GET /api/v1/mesh/tasks/${task.id}/checkpoints`,
    });
  }
  return row.commitSha;
}
