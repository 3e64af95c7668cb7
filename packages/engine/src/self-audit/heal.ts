/**
 * How a broken invariant is put right: each kind by the verb that should have done so, or by the job that
 * calls it.
 *
 * Law: no row is written here; whoever heals looks again under its locks, and does nothing where it holds
 * meanwhile.
 */
import { channels } from '@makima/contracts/channels';
import type { InvariantKind } from '@makima/domain/invariant';
import { afterLastAnswer } from '@makima/domain/supervisor';
import { isTaskFinal } from '@makima/domain/task';
import { openConfirmation } from '@makima/db/repo/confirmations';
import { lockContract } from '@makima/db/repo/contracts';
import type { BrokenRow } from '@makima/db/repo/invariants';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { takeTicket } from '@makima/db/repo/requeue';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { findTask, lockTask } from '@makima/db/repo/tasks';
import { endWait, findWait } from '@makima/db/repo/waits';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import { cleanContract } from '../contract/clean.ts';
import { evaluateContract } from '../contract/evaluate.ts';
import { syncWaiting } from '../contract/move.ts';
import { lockedTasks } from '../contract/pause.ts';
import { withdrawQuestions } from '../contract/withdraw-questions.ts';
import type { System } from '../principal.ts';
import { spacingMs } from '../outbox/requeue.ts';
import { savePoint } from '../save-point.ts';
import { stopTask } from '../task/cancel.ts';
import { interruptTask, loseAttempt } from '../task/lose-attempt.ts';
import { expireWaits } from '../wait/expire.ts';
import { settleWaits } from '../wait/settle.ts';

export async function heal(
  engine: Engine,
  caller: System,
  kind: InvariantKind,
  row: BrokenRow,
): Promise<void> {
  if (kind === 'wait_overdue') return void (await expireWaits(engine, { limit: 100 }));
  const { contractId } = row;
  if (contractId !== null && (kind === 'contract_leaderless' || kind === 'question_of_the_ended'))
    await evaluateContract(engine, caller, { contractId });
  if (contractId !== null && kind === 'work_of_the_ended')
    await cleanContract(engine, caller, { contractId });
  await act(engine, { caller }, (a) => healRows(a, kind, row));
}

async function healRows(a: Act, kind: InvariantKind, row: BrokenRow): Promise<void> {
  switch (kind) {
    case 'attempt_superseded':
    case 'attempt_at_rest':
      return giveUp(a, row, 'it is not what its task lives by');
    case 'lease_overdue':
      return giveUp(a, row, 'its daemon was silent until the lease ran out', { onlyExpired: true });
    case 'task_without_attempt':
      return interrupt(a, row);
    case 'way_back_missing':
      return mailWayBack(a, row);
    case 'sleeps_for_nothing':
      return mailAgain(a, row, 'wake');
    case 'waits_for_nobody':
      return goOn(a, row);
    case 'contract_waits_for_nothing':
      return onContract(a, row, async (contract) => void (await syncWaiting(a, contract)));
    case 'question_of_the_ended':
      return onContract(a, row, async (contract) => {
        if (isOver(contract)) await withdrawQuestions(a, contract, 'the contract is over');
      });
    case 'work_of_the_ended':
      return onContract(a, row, (contract) => stopWork(a, contract));
    case 'wait_come':
      return settle(a, row);
    case 'wait_of_the_ended':
      return dropWait(a, row);
    case 'command_not_taken':
      return a.hint(channels.daemonWake(row.subject));
    // Put right before, or by a person.
    case 'contract_leaderless':
    case 'wait_overdue':
    case 'epoch_differs':
    case 'mail_not_sent':
    case 'guard_passed':
    case 'events_differ':
    case 'output_differs':
  }
}

const isOver = ({ status }: ContractRow): boolean =>
  status === 'completed' || status === 'failed' || status === 'archived';

async function onContract(
  a: Act,
  { contractId }: BrokenRow,
  work: (contract: ContractRow) => Promise<void>,
): Promise<void> {
  if (contractId === null) return;
  const about = { ownerId: a.ownerId, id: contractId, strength: 'update' } as const;
  const contract = await lockContract(a.tx, about);
  if (contract !== undefined) await work(contract);
}

async function giveUp(
  a: Act,
  { taskId, attempt }: BrokenRow,
  detail: string,
  only: { onlyExpired?: true } = {},
): Promise<void> {
  if (taskId === null || attempt === null) return;
  await loseAttempt(a, { taskId, attempt, why: 'fenced', detail, ...only });
}

/** Nothing of it runs: it is taken up again as one that lost its machine. */
async function interrupt(a: Act, { taskId, attempt }: BrokenRow): Promise<void> {
  if (taskId === null || attempt === null) return;
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: taskId });
  if (task === undefined || task.currentAttempt !== attempt) return;
  const detail = 'nothing of it ran any more';
  await interruptTask(a, task, { taskId, attempt, why: 'daemon_lost', detail });
}

async function mailWayBack(a: Act, row: BrokenRow): Promise<void> {
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: row.taskId ?? '' });
  if (task !== undefined) await mailAgain(a, row, task.isSupervisor ? 'restore' : 'retry');
}

const queues = {
  restore: 'restore-supervisor',
  retry: 'retry-task',
  wake: 'wake-supervisor',
} as const;

/** However often it is found: whoever takes its tickets may be away, and they must not pile up. */
async function mailAgain(
  a: Act,
  { taskId, attempt }: BrokenRow,
  what: keyof typeof queues,
): Promise<void> {
  if (taskId === null || attempt === null) return;
  const about = { queue: queues[what], ownerId: a.ownerId, entityId: taskId, fence: attempt };
  const count = await takeTicket(a.tx, { ...about, spacingMs });
  if (count === undefined) return;
  const ticket = { entityId: taskId, fence: `${attempt}-audit-${count}` };
  a.mail(queues[what], { taskId, attempt }, ticket);
}

/** What follows the last answer, which never came to be told. */
async function goOn(a: Act, row: BrokenRow): Promise<void> {
  await onContract(a, row, async (contract) => {
    const about = { ownerId: a.ownerId, contractId: contract.id };
    const open = await openQuestionsOf(a.tx, about);
    const isAsked = open.some((question) => !question.nonBlocking);
    if (isAsked || (await openConfirmation(a.tx, { contractId: contract.id })) !== undefined)
      return;
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: row.taskId ?? '' });
    const supervisor = await lockSupervisor(a.tx, {
      ownerId: a.ownerId,
      taskId: row.taskId ?? '',
    });
    if (task === undefined || supervisor?.state !== 'waiting_for_user') return;
    await savePoint(a, task, afterLastAnswer());
  });
}

/** Of a contract that is completed nobody cleans up any more. */
async function stopWork(a: Act, contract: ContractRow): Promise<void> {
  if (contract.status !== 'completed') return;
  for (const task of await lockedTasks(a, contract)) {
    if (isTaskFinal(task.status)) continue;
    const words = `the contract is ${contract.status}`;
    await stopTask(a, task, { status: 'cancelled', reason: 'cancelled', words });
  }
}

async function settle(a: Act, { subject }: BrokenRow): Promise<void> {
  const wait = await findWait(a.tx, { ownerId: a.ownerId, id: subject });
  for (const targetId of wait?.targetIds ?? []) await settleWaits(a, { targetId });
}

async function dropWait(a: Act, { subject, taskId }: BrokenRow): Promise<void> {
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: taskId ?? '' });
  if (task === undefined || !isTaskFinal(task.status)) return;
  if (await endWait(a.tx, { id: subject, state: 'cancelled' })) a.hint(channels.waitDone(subject));
}
