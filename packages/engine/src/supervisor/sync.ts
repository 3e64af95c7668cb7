/**
 * Make a supervisor's condition what the rows say, and save a snapshot of it (seed 004). For the case that a
 * person doubts what they see.
 *
 * Law: rows decide: what waits is a wait or a question, not a word in a column.
 */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { syncSupervisor as endpoint } from '@makima/contracts/http/supervisor';
import { checkSupervisorTransition, type SupervisorState } from '@makima/domain/supervisor';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { lockSupervisor, saveCondition } from '@makima/db/repo/supervisors';
import { lockTask } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import { lockedContract, requireLead } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { buildSnapshot } from './save-state.ts';
import { refuseDead, supervisorFacts, type Supervised } from './status.ts';

export type Synced = ResponseOf<typeof endpoint>;

export function syncSupervisor(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<Synced>> {
  return act(engine, call, async (a) => {
    const contract = await lockedContract(a.tx, a.caller, input.id, 'share');
    await requireLead(a, contract.id, 'sync supervisors');
    const seen = await supervisorFacts(a.tx, contract);
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: seen.task.id });
    const row = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: seen.task.id });
    const now = { contract, task: task ?? seen.task, row: row ?? seen.row };
    refuseDead(engine.settings, now, a.now, { taskId: now.task.id, state: now.row.state });
    const state = await stateOf(a, now);
    const corrected = state !== now.row.state && (await correct(a, now, state));
    await buildSnapshot(a, contract, now.task);
    return {
      synced: true,
      state: corrected ? state : now.row.state,
      corrected_from: corrected ? now.row.state : null,
    };
  });
}

/** What the rows say it does; as it is where they say nothing else. */
async function stateOf(a: Act, { contract, row, task }: Supervised): Promise<SupervisorState> {
  if (task.status === 'interrupted') return 'interrupted';
  if (task.status !== 'running' || task.session !== 'live') return row.state;
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [questions, waits] = await Promise.all([
    openQuestionsOf(a.tx, about),
    openWaitsOf(a.tx, { taskId: task.id }),
  ]);
  const asks = questions.some((q) => q.taskId === task.id && !q.nonBlocking);
  const waitsForTasks = waits.some((wait) => wait.kind.startsWith('tasks_'));
  switch (row.state) {
    case 'waiting_for_user':
      return asks ? row.state : waitsForTasks ? 'waiting_for_tasks' : 'working';
    case 'waiting_for_tasks':
      return waitsForTasks ? row.state : asks ? 'waiting_for_user' : 'working';
    case 'initializing':
    case 'interrupted':
      return 'working';
    case 'blocked':
      return contract.status === 'blocked' ? row.state : 'working';
    case 'idle':
    case 'working':
    case 'completed':
    case 'failed':
      return row.state;
  }
}

/** By the table's way: one that was interrupted begins first. */
async function correct(
  a: Act,
  { contract, row, task }: Supervised,
  state: SupervisorState,
): Promise<boolean> {
  const way: readonly SupervisorState[] =
    row.state === 'interrupted' ? ['initializing', state] : [state];
  let from = row.state;
  for (const to of way) {
    if (!checkSupervisorTransition(from, to).ok) return false;
    from = to;
  }
  await saveCondition(a.tx, { taskId: task.id, state, activity: row.currentActivity });
  a.emit('supervisor.state_changed', {
    contractId: contract.id,
    taskId: task.id,
    data: { from: row.state, to: state, activity: row.currentActivity, progress: row.progress },
  });
  return true;
}
