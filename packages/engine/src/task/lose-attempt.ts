/**
 * An attempt that ended without a result: its process died, its daemon is gone, it could not start. The
 * slot is free in the same transaction; what follows (next attempt, restoration, failure) is a job.
 *
 * Law: an attempt is given up once; a slot without a live lease cannot exist.
 */
import { isAttemptLive, isTaskFinal } from '@makima/domain/task';
import type { RetryReason } from '@makima/domain/retry';
import { changeAttempt, lockAttempt } from '@makima/db/repo/attempts';
import { changeTask, lockTask } from '@makima/db/repo/tasks';
import { dropTranscript } from '@makima/db/repo/talk';
import { newId } from '@makima/db/repo/locks';
import { saveCondition } from '@makima/db/repo/supervisors';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { directiveTaskOver } from '../directive/task-over.ts';

export interface Loss {
  readonly taskId: string;
  readonly attempt: number;
  readonly why: Exclude<RetryReason, 'agent_failed'>;
  /** A sentence for people: what the daemon saw. */
  readonly detail: string;
  /** The agent's conversation can be continued nowhere: forget it, so that the next attempt begins anew. */
  readonly sessionLost?: boolean | undefined;
  /** Give it up only if its lease is over; a renewal that came first wins. */
  readonly onlyExpired?: true;
}

/** False when the attempt was not live any more. */
export async function loseAttempt(a: Act, loss: Loss): Promise<boolean> {
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: loss.taskId });
  const attempt = await lockAttempt(a.tx, loss);
  if (task === undefined || attempt === undefined || !isAttemptLive(attempt.state)) return false;
  if (loss.onlyExpired && attempt.leaseExpiresAt !== null && attempt.leaseExpiresAt > a.now)
    return false;
  await changeAttempt(a.tx, {
    taskId: loss.taskId,
    attempt: loss.attempt,
    from: ['assigned', 'running'],
    set: { state: 'lost', reason: `${loss.why}: ${loss.detail}`, endedAt: a.now },
  });
  a.emit('attempt.lost', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt: loss.attempt, why: loss.why, detail: loss.detail, name: task.name },
  });
  if (task.contractId !== null && isTaskFinal(task.status)) {
    a.mail(
      'clean-contract',
      { contractId: task.contractId },
      { entityId: task.contractId, fence: `${loss.taskId}-${loss.attempt}` },
    );
  }
  await directiveTaskOver(a, task);
  if (task.currentAttempt !== loss.attempt) return true;
  if (loss.sessionLost === true) await dropTranscript(a.tx, { taskId: task.id });
  await interruptTask(a, task, loss);
  return true;
}

/** What follows for its task; the caller holds its lock and knows that this attempt of it does not run. */
export async function interruptTask(a: Act, task: TaskRow, loss: Loss): Promise<void> {
  const interrupted = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: loss.attempt,
    from: ['starting', 'running'],
    set: {
      status: 'interrupted',
      session: 'none',
      pendingSince: a.now,
      errorMessage: loss.detail,
      ...(loss.sessionLost === true
        ? { sessionId: await newId(a.tx), sessionStartedAt: null }
        : {}),
    },
  });
  if (interrupted === undefined) {
    // Resumed while its agent was still ending: only now it can be placed.
    if (task.status === 'pending')
      a.mail(
        'spawn-task',
        { taskId: task.id },
        { entityId: task.id, fence: `lost-${loss.attempt}` },
      );
    return;
  }
  a.emit('task.interrupted', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt: loss.attempt, why: loss.why, detail: loss.detail, name: task.name },
  });
  if (task.isSupervisor) {
    await saveCondition(a.tx, { taskId: task.id, state: 'interrupted', activity: loss.detail });
    a.mail(
      'restore-supervisor',
      { taskId: task.id, attempt: loss.attempt },
      { entityId: task.id, fence: loss.attempt },
    );
    return;
  }
  a.mail(
    'retry-task',
    { taskId: task.id, attempt: loss.attempt },
    { entityId: task.id, fence: loss.attempt },
  );
}
