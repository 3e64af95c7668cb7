/** The fence of a report: whose attempt it speaks of, and whether that attempt is still the present one. */
import { speaksForTask } from '@makima/domain/task';
import { lockAttempt } from '@makima/db/repo/attempts';
import { lockTask } from '@makima/db/repo/tasks';
import type { AttemptRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

export interface Fenced {
  readonly task: TaskRow;
  readonly attempt: AttemptRow;
  /** Live, and the task's newest: what it says may change the task. */
  readonly present: boolean;
}

/**
 * Undefined for a task or attempt that is not this daemon's: nothing of it is applied. The task's row is
 * locked first, then the attempt's.
 */
export async function fenceReport(
  a: Act,
  daemon: DaemonPrincipal,
  report: { taskId: string; attempt: number },
): Promise<Fenced | undefined> {
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: report.taskId });
  if (task === undefined) return undefined;
  const attempt = await lockAttempt(a.tx, report);
  if (attempt === undefined || attempt.daemonId !== daemon.daemonId) return undefined;
  return { task, attempt, present: speaksForTask(task, attempt) };
}
