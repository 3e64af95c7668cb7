/**
 * A pause that lets an agent end its turn: its daemon is told, its task goes on being `running`, and the
 * report of its end makes it `paused`.
 *
 * Law: only a wish. The rows change with the report.
 */
import { channels } from '@makima/contracts/channels';
import { changeAttempt } from '@makima/db/repo/attempts';
import { appendCommand } from '@makima/db/repo/daemons';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { stopGraceMs } from './cancel.ts';

/** The caller holds the lock of the task, which runs. */
export async function askToFinishTurn(a: Act, task: TaskRow, withinMs: number): Promise<void> {
  const { id: taskId, currentAttempt: attempt, homeDaemonId: daemonId } = task;
  if (daemonId === null) return;
  await changeAttempt(a.tx, { taskId, attempt, from: ['running'], set: { reason: 'paused' } });
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    taskId,
    attempt,
    command: {
      kind: 'task.stop',
      taskId,
      attempt,
      reason: 'paused',
      graceMs: stopGraceMs,
      finishTurnMs: withinMs,
    },
  });
  a.hint(channels.daemonWake(daemonId));
}
