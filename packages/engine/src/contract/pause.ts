/**
 * What a pause means for a contract's agents, and how they go on. Running ones are stopped by a command and
 * keep session, directory and place in the line, at once or after their turn; what has not begun simply waits.
 *
 * Law: what rests on its own account (parked, interrupted) is not touched by a pause; when the contract goes
 * on, its own way back (wake, restoration, retry) is asked for again.
 */
import { lockLiveAttempts } from '@makima/db/repo/attempts';
import { saveCondition } from '@makima/db/repo/supervisors';
import { changeTask, lockTasks, tasksOfContract } from '@makima/db/repo/tasks';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { stopTask } from '../task/cancel.ts';
import { blockSupervisor, unblockSupervisor } from '../supervisor/block.ts';
import { askToFinishTurn } from '../task/finish-turn.ts';
import { newsOf } from '../supervisor/wake.ts';
import { again } from '../task/retry.ts';

export interface Pause {
  /** Why, for its agents and for people. */
  readonly words: string;
  readonly why: 'pause' | 'budget';
  /** How long agents may go on to end their turns; undefined: they are stopped at once. */
  readonly finishTurnMs?: number | undefined;
}

/** The caller holds the contract's lock. Answers how many were told to stop. */
export async function pauseTasks(
  a: Act,
  contract: ContractRow,
  { words, why, finishTurnMs }: Pause,
): Promise<number> {
  let told = 0;
  for (const task of await lockedTasks(a, contract)) {
    if (task.status !== 'starting' && task.status !== 'running') continue;
    told += 1;
    if (finishTurnMs !== undefined && task.status === 'running') {
      await askToFinishTurn(a, task, finishTurnMs);
      continue;
    }
    await stopTask(a, task, { status: 'paused', reason: 'paused', words });
    if (task.isSupervisor) await stopCondition(a, task, { words, why });
  }
  return told;
}

/** A pause is a person's; what a budget holds is blocked, if it was at work. */
export async function stopCondition(
  a: Act,
  task: TaskRow,
  { words, why }: { readonly words: string; readonly why: 'pause' | 'budget' },
): Promise<void> {
  if (why === 'budget' && (await blockSupervisor(a, task, words))) return;
  await saveCondition(a.tx, { taskId: task.id, state: 'interrupted', activity: words });
}

export async function resumeTasks(a: Act, contract: ContractRow, words: string): Promise<void> {
  for (const task of await lockedTasks(a, contract)) {
    if (task.status === 'paused' && task.session === 'parked') await wake(a, task);
    // Its own time, or a person, lets it go on.
    else if (task.session === 'limited') continue;
    else if (task.status === 'paused') await goOn(a, task, words);
    else if (task.status === 'interrupted') mailWayBack(a, task);
    else if (task.isSupervisor) await unblockSupervisor(a, task, words);
  }
  const fence = `resumed-${a.now.getTime().toString(36)}`;
  a.mail('spawn-task', { taskId: null }, { entityId: contract.id, fence });
  a.mail('evaluate-contract', { contractId: contract.id }, { entityId: contract.id, fence });
}

/** All tasks, then all live attempts, each in the order of ids; for whoever stops several. */
export async function lockedTasks(a: Act, contract: ContractRow): Promise<TaskRow[]> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const ids = (await tasksOfContract(a.tx, about)).map((task) => task.id);
  const rows = await lockTasks(a.tx, { ownerId: a.ownerId, ids });
  await lockLiveAttempts(a.tx, { ownerId: a.ownerId, taskIds: ids });
  return rows;
}

/** A pause costs no retry: the count of before stays. */
export async function goOn(a: Act, task: TaskRow, words: string): Promise<void> {
  const row = await again(a, task, {
    excludedDaemonId: null,
    resume: true,
    notBefore: null,
    words,
  });
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: row.currentAttempt,
    set: { retryCount: task.retryCount, errorMessage: null },
  });
  if (task.isSupervisor && !(await unblockSupervisor(a, task, words)))
    await saveCondition(a.tx, { taskId: task.id, state: 'initializing', activity: words });
}

/** What it waits for may have come while its contract rested. */
async function wake(a: Act, task: TaskRow): Promise<void> {
  const news = await newsOf(a, task);
  if (news === undefined || news.reason === null) return;
  a.mail('wake-supervisor', { taskId: task.id, attempt: task.currentAttempt }, ticketOf(a, task));
}

export function mailWayBack(a: Act, task: TaskRow): void {
  const payload = { taskId: task.id, attempt: task.currentAttempt };
  if (task.currentAttempt === 0) return;
  a.mail(task.isSupervisor ? 'restore-supervisor' : 'retry-task', payload, ticketOf(a, task));
}

/** Another ticket than the one that came to nothing while the contract rested. */
function ticketOf(a: Act, task: TaskRow): { entityId: string; fence: string } {
  const at = a.now.getTime().toString(36);
  return { entityId: task.id, fence: `${task.currentAttempt}-resumed-${at}` };
}
