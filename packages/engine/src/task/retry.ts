/**
 * What follows an attempt that ended badly (job `retry-task`): the domain's rule decides, the next attempt
 * continues the session. Also a person's or supervisor's own word that it should go on.
 */
import type { Task } from '@makima/contracts/entity/task';
import { decideRetry, type RetryReason } from '@makima/domain/retry';
import { MakimaError } from '@makima/domain/error';
import { findAttempt } from '@makima/db/repo/attempts';
import { daemonsOf } from '@makima/db/repo/daemons';
import { changeTask, lockTask } from '@makima/db/repo/tasks';
import type { AttemptRow, TaskRow } from '@makima/db/rows';
import { act, tracedTask, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedTask, readableTask, requireLead } from '../authorize.ts';
import type { System } from '../principal.ts';
import { sendMessage } from '../message/send.ts';
import { presentTask } from '../present/task.ts';
import { withdrawLimitQuestion } from '../limit/decide.ts';
import { goOnAfterLimit, liftLimitOf } from '../limit/go-on.ts';
import { wakeResting } from '../supervisor/wake.ts';
import { failTask } from './complete.ts';

export function decideRetryTask(
  engine: Engine,
  caller: System,
  input: { taskId: string; attempt: number },
): Promise<Acted<'nothing' | 'retried' | 'failed'>> {
  return act(engine, { caller }, async (a) => {
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    if (
      task === undefined ||
      task.status !== 'interrupted' ||
      task.currentAttempt !== input.attempt ||
      task.isSupervisor
    )
      return 'nothing';
    const attempt = await findAttempt(a.tx, { taskId: task.id, attempt: input.attempt });
    const reason = reasonOf(attempt?.reason ?? null);
    const decision = decideRetry({
      reason,
      retryCount: task.retryCount,
      maxRetries: a.engine.settings.maxRetries,
      isSupervisor: false,
      livedMs: a.now.getTime() - (attempt?.assignedAt ?? a.now).getTime(),
      detail: task.errorMessage ?? undefined,
    });
    if (decision.kind !== 'retry') {
      await failTask(a, task, {
        attempt: input.attempt,
        message: decision.kind === 'fail' ? decision.message : 'it cannot be retried',
      });
      return 'failed';
    }
    await again(a, task, {
      excludedDaemonId: decision.excludeDaemon ? await excludable(a, task, attempt) : null,
      resume: decision.resume,
      notBefore: decision.delayMs === 0 ? null : new Date(a.now.getTime() + decision.delayMs),
      words: task.errorMessage ?? reason,
    });
    return 'retried';
  });
}

/**
 * The machine that could not start it, when another could; alone, it is asked again until the tries are
 * used up, so that the task ends with its reason instead of waiting for a machine that never comes.
 */
async function excludable(
  a: Act,
  task: TaskRow,
  attempt: AttemptRow | undefined,
): Promise<string | null> {
  if (attempt === undefined) return null;
  const others = (await daemonsOf(a.tx, { ownerId: a.ownerId })).filter(
    (daemon) =>
      daemon.status !== 'revoked' &&
      daemon.id !== attempt.daemonId &&
      !task.failedDaemonIds.includes(daemon.id),
  );
  return others.length === 0 || task.localPath !== null ? null : attempt.daemonId;
}

/** By a person or the supervisor: an interrupted or paused task goes on. */
export function retryTask(engine: Engine, call: Call, input: { id: string }): Promise<Acted<Task>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    await requireLead(a, seen.contractId, 'retry tasks');
    const task = await lockedTask(a.tx, a.caller, input.id);
    if (task.status !== 'interrupted' && task.status !== 'paused') {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `only an interrupted or paused task gets another attempt; this one is ${task.status}`,
        {
          details: { status: task.status },
          fix: 'spawn a new task that continues from it',
        },
      );
    }
    const rested = await goOnFromRest(a, task);
    if (rested !== undefined) return presentTask(rested);
    if (task.isSupervisor && task.status === 'interrupted') {
      // Restored, never merely retried: with its notice, its questions and its waits.
      a.mail(
        'restore-supervisor',
        { taskId: task.id, attempt: task.currentAttempt },
        { entityId: task.id, fence: `${task.currentAttempt}-asked` },
      );
      return presentTask(task);
    }
    return presentTask(
      await again(a, task, {
        excludedDaemonId: null,
        resume: true,
        notBefore: null,
        words: `${a.caller.name} asked for another attempt`,
      }),
    );
  });
}

/** Parked or at a usage limit: it goes on before what it waits for has come. */
async function goOnFromRest(a: Act, task: TaskRow): Promise<TaskRow | undefined> {
  if (task.session === 'parked') return wakeResting(a, task, 'asked');
  if (task.session !== 'limited') return undefined;
  if (a.caller.kind === 'agent') {
    throw new MakimaError('INVALID_TRANSITION', 'its account is at its usage limit', {
      details: { resumeAt: task.resumeAt?.toISOString() ?? null },
      fix: 'wait for it: it goes on by itself, or by a person’s word',
    });
  }
  await liftLimitOf(a, task);
  await withdrawLimitQuestion(a, task);
  return goOnAfterLimit(a, task, `${a.caller.name} asked for another attempt`);
}

interface Again {
  readonly excludedDaemonId: string | null;
  readonly resume: boolean;
  readonly notBefore: Date | null;
  readonly words: string;
}

/** Also the way back of a task whose contract was paused. */
export async function again(a: Act, task: TaskRow, how: Again): Promise<TaskRow> {
  const failed =
    how.excludedDaemonId === null
      ? task.failedDaemonIds
      : [...new Set([...task.failedDaemonIds, how.excludedDaemonId])];
  // A paused task has no agent: it goes on as an interrupted one does.
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['paused'],
    set: { status: 'interrupted' },
  });
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['interrupted'],
    set: {
      ...tracedTask(a),
      status: 'pending',
      session: 'none',
      retryCount: task.retryCount + 1,
      failedDaemonIds: failed,
      pendingSince: a.now,
      resumeAt: how.notBefore,
    },
  });
  if (row === undefined)
    throw new MakimaError('CONFLICT', 'the task changed meanwhile', { retryable: true });
  if (how.resume && task.sessionStartedAt !== null) {
    await sendMessage(a, {
      taskId: task.id,
      text: `[Continue] You were interrupted (${how.words}). Your conversation is as it was. Look at what is done in your working directory, then finish the task.`,
      mode: 'steer',
      source: 'retry',
      sourceId: null,
    });
  }
  a.emit('task.retried', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt: task.currentAttempt + 1, why: how.words, name: task.name },
  });
  a.mail(
    'spawn-task',
    { taskId: task.id },
    {
      entityId: task.id,
      fence: `retry-${row.currentAttempt}`,
      ...(how.notBefore === null ? {} : { notBefore: how.notBefore }),
    },
  );
  return row;
}

const reasons: readonly RetryReason[] = [
  'agent_crashed',
  'daemon_lost',
  'start_failed',
  'cannot_start',
  'fenced',
  'killed_by_limit',
];

/** The attempt's reason is `<why>: <words>`. */
function reasonOf(text: string | null): RetryReason {
  return reasons.find((reason) => text?.startsWith(`${reason}:`)) ?? 'agent_crashed';
}
