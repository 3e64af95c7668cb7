/**
 * A supervisor that was at work and may not go on: its contract is blocked, its budget is used up, or its
 * account is at a usage limit; and its way back to work when that is over.
 *
 * Law: `blocked` is entered from `working` and left to it; who waits, rests or is interrupted keeps the state
 * that says so.
 */
import { afterBlock, afterQuestion, afterUnblock, afterWait } from '@makima/domain/supervisor';
import { openQuestionsOfTasks } from '@makima/db/repo/questions';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { openWaitsOf } from '@makima/db/repo/waits';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { savePoint } from '../save-point.ts';

type Supervisor = Pick<TaskRow, 'id' | 'contractId' | 'currentAttempt'>;

/** False when it was not at work. */
export async function blockSupervisor(a: Act, task: Supervisor, why: string): Promise<boolean> {
  const row = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (row?.state !== 'working' && row?.state !== 'blocked') return false;
  await savePoint(a, task, afterBlock(why));
  return true;
}

/** To work, and on to what it began to wait for meanwhile. False when it was not blocked. */
export async function unblockSupervisor(a: Act, task: Supervisor, why: string): Promise<boolean> {
  const row = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (row?.state !== 'blocked') return false;
  await savePoint(a, task, afterUnblock(why));
  const [wait] = await openWaitsOf(a.tx, { taskId: task.id });
  if (wait !== undefined) await savePoint(a, task, afterWait(wait.targetIds.length));
  const open = await openQuestionsOfTasks(a.tx, { ownerId: a.ownerId, taskIds: [task.id] });
  const asked = open.findLast((question) => !question.nonBlocking);
  if (asked !== undefined) await savePoint(a, task, afterQuestion(asked.question));
  return true;
}
