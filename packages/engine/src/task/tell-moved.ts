/**
 * What an agent is told that goes on in its conversation on another machine: its directory did not come along.
 *
 * Why: the conversation says that files were written and commits made; they stand on a machine that may be gone
 * for good. An agent that believes its own words would end with nothing made.
 */
import { movedNotice } from '@makima/domain/notice';
import { lastCheckpoint } from '@makima/db/repo/checkpoints';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';

/** Before the command of its next attempt is built. */
export async function tellMoved(a: Act, task: TaskRow, daemonId: string): Promise<void> {
  const { homeDaemonId, sessionStartedAt } = task;
  if (sessionStartedAt === null) return;
  if (homeDaemonId === null || homeDaemonId === daemonId) return;
  const checkpoint = await lastCheckpoint(a.tx, { taskId: task.id });
  await sendMessage(a, {
    taskId: task.id,
    text: movedNotice(checkpoint?.checkpointNumber ?? null),
    mode: 'steer',
    source: 'moved',
    sourceId: null,
  });
}
