/**
 * An attempt is over and no process of it is left. The present attempt decides about its task, also when its
 * lease was lost but no other has begun; an older one's word is kept as late evidence, and its work on a named
 * ref.
 *
 * Law: exactly one terminal transition per attempt; a task is done through its present attempt only.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { isAttemptLive } from '@makima/domain/task';
import { changeAttempt, supersede } from '@makima/db/repo/attempts';
import { changeTask } from '@makima/db/repo/tasks';
import type { Act } from '../context.ts';
import { directiveTaskOver } from '../directive/task-over.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { completeTask, failTask } from '../task/complete.ts';
import { meetLimit } from '../limit/meet.ts';
import { fallAsleep } from '../supervisor/fall-asleep.ts';
import { loseAttempt, type Loss } from '../task/lose-attempt.ts';
import { recordUsage } from '../usage/record.ts';
import { fenceReport, type Fenced } from './fence.ts';
import { keptBy } from './task-kept.ts';
import { turnFinished } from './turn-finished.ts';

export async function taskEnded(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.ended'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined) return;
  if (report.keptRef !== null)
    await keptBy(a, daemon, fenced, { ref: report.keptRef, why: report.outcome });
  await recordUsage(a, { ...report, task: fenced.task });
  if (!isAttemptLive(fenced.attempt.state)) return late(a, fenced, report);
  switch (report.outcome) {
    case 'done':
      return completeTask(a, fenced.task, {
        attempt: report.attempt,
        summary: report.summary,
        commitSha: report.commitSha,
      });
    case 'failed':
      return failTask(a, fenced.task, {
        attempt: report.attempt,
        message: report.error ?? report.summary,
        commitSha: report.commitSha,
      });
    case 'limited':
      return meetLimit(a, fenced, report);
    case 'parked':
    case 'stopped':
      return stopped(a, fenced, report);
    case 'crashed':
    case 'daemon_restarted':
    case 'start_failed':
    case 'fenced': {
      await loseAttempt(a, {
        taskId: report.taskId,
        attempt: report.attempt,
        // A lost conversation is no fault of the machine: it may try again, with a new one.
        why: lossIn(report, report.outcome),
        detail: wordsOf(report),
        sessionLost: report.sessionLost,
      });
      return;
    }
  }
}

const lossOf: Record<'crashed' | 'daemon_restarted' | 'start_failed' | 'fenced', Loss['why']> = {
  crashed: 'agent_crashed',
  daemon_restarted: 'daemon_lost',
  start_failed: 'start_failed',
  fenced: 'fenced',
};

function lossIn(report: ReportOf<'task.ended'>, outcome: keyof typeof lossOf): Loss['why'] {
  if (report.sessionLost === true) return 'agent_crashed';
  return outcome === 'start_failed' && report.permanent === true ? 'cannot_start' : lossOf[outcome];
}

function wordsOf(report: ReportOf<'task.ended'>): string {
  if (report.error !== null && report.error !== '') return report.error;
  if (report.signal !== null) return `the agent was ended by ${report.signal}`;
  if (report.exitCode !== null) return `the agent exited with ${report.exitCode}`;
  return report.outcome === 'daemon_restarted'
    ? 'its daemon restarted'
    : report.outcome.replaceAll('_', ' ');
}

/** The server asked for the end: the task's status was set then, or is set now if it might end its turn. */
async function stopped(a: Act, fenced: Fenced, report: ReportOf<'task.ended'>): Promise<void> {
  await changeAttempt(a.tx, {
    taskId: report.taskId,
    attempt: report.attempt,
    from: ['assigned', 'running'],
    set: { state: 'cancelled', reason: report.outcome, summary: report.summary, endedAt: a.now },
  });
  if (fenced.task.contractId !== null) {
    a.mail(
      'clean-contract',
      { contractId: fenced.task.contractId },
      { entityId: fenced.task.contractId, fence: `${report.taskId}-${report.attempt}` },
    );
  } else await directiveTaskOver(a, fenced.task);
  if (!fenced.present) return;
  // Resumed before its agent had ended: only now it can be placed.
  if (fenced.task.status === 'pending') {
    a.mail(
      'spawn-task',
      { taskId: report.taskId },
      { entityId: report.taskId, fence: `ended-${report.attempt}` },
    );
  }
  const parked = report.outcome === 'parked' && fenced.task.isSupervisor;
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: report.taskId,
    attempt: report.attempt,
    from: ['starting', 'running'],
    set: {
      status: 'paused',
      session: parked ? 'parked' : 'none',
      commitSha: report.commitSha ?? fenced.task.commitSha,
    },
  });
  if (row === undefined) return;
  if (parked) await fallAsleep(a, row);
  else if (fenced.attempt.reason === 'paused') await turnFinished(a, row);
}

/** What an attempt says that was given up before: it counts while nobody has begun the work anew. */
async function late(a: Act, fenced: Fenced, report: ReportOf<'task.ended'>): Promise<void> {
  if (countsLate(fenced, report)) return finishedLate(a, fenced, report);
  await supersede(a.tx, {
    taskId: report.taskId,
    attempt: report.attempt,
    summary: report.summary,
    reason: wordsOf(report),
  });
  if (report.outcome !== 'done' && report.outcome !== 'failed') return;
  tellLate(a, fenced, report, { counted: false });
}

function countsLate({ task, attempt }: Fenced, report: ReportOf<'task.ended'>): boolean {
  return (
    report.outcome === 'done' &&
    (attempt.state === 'lost' || attempt.state === 'fenced') &&
    task.currentAttempt === report.attempt &&
    (task.status === 'interrupted' || task.status === 'pending')
  );
}

/** Its lease was lost, but the work was finished: the task is done, and the rows say how. */
async function finishedLate(a: Act, fenced: Fenced, report: ReportOf<'task.ended'>): Promise<void> {
  const { task, attempt } = fenced;
  await changeAttempt(a.tx, {
    taskId: task.id,
    attempt: report.attempt,
    from: [attempt.state],
    set: {
      summary: report.summary,
      reason: `${attempt.reason ?? 'given up'}; its finished work came late and counts`,
    },
  });
  tellLate(a, fenced, report, { counted: true });
  // The table's way from `interrupted` to an end leads through `pending`.
  const waiting = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: report.attempt,
    from: ['interrupted', 'pending'],
    set: { status: 'pending', resumeAt: null },
  });
  if (waiting === undefined) return;
  await completeTask(a, waiting, {
    attempt: report.attempt,
    summary: report.summary,
    commitSha: report.commitSha,
  });
}

function tellLate(
  a: Act,
  { task }: Fenced,
  report: ReportOf<'task.ended'>,
  { counted }: { counted: boolean },
): void {
  a.emit('task.late', {
    contractId: task.contractId,
    taskId: report.taskId,
    data: {
      attempt: report.attempt,
      outcome: report.outcome,
      current: task.currentAttempt,
      keptRef: report.keptRef,
      name: task.name,
      counted,
    },
  });
}
