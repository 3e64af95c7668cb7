/**
 * A task that rests goes on: it is pending again, in the trace of what woke it.
 *
 * Law: the caller holds its lock. It is interrupted first: the way of the table of states.
 */
import { changeTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import { tracedTask, type Act } from '../context.ts';

/** Undefined when it did not rest. */
export async function pendingAgain(a: Act, task: TaskRow): Promise<TaskRow | undefined> {
  const about = { ownerId: a.ownerId, id: task.id, attempt: task.currentAttempt };
  await changeTask(a.tx, { ...about, from: ['paused'], set: { status: 'interrupted' } });
  return changeTask(a.tx, {
    ...about,
    from: ['interrupted'],
    set: {
      ...tracedTask(a),
      status: 'pending',
      session: 'none',
      resumeAt: null,
      pendingSince: a.now,
    },
  });
}
