/**
 * Bring a supervisor back where it was (job `restore-supervisor`): the rows are read, the plan is the
 * domain's, and what it says is carried out in one transaction.
 *
 * Law: exactly once per epoch, however many restorers look: the task's row and the epoch are the fence.
 */
import {
  breaker,
  planRestoration,
  restorationAllowed,
  type RestorationPlan,
} from '@makima/domain/restoration';
import { mayWork } from '@makima/domain/contract';
import { findAttempt } from '@makima/db/repo/attempts';
import { isWithPerson, lastLookedAt } from '@makima/db/repo/breaker';
import { lockContract } from '@makima/db/repo/contracts';
import { insertQuestion, openQuestionsOf } from '@makima/db/repo/questions';
import { restoredSince, saveCondition } from '@makima/db/repo/supervisors';
import { findTask, lockTask } from '@makima/db/repo/tasks';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { moveContract } from '../contract/move.ts';
import { carryOut } from './carry-out.ts';
import { restorationFacts } from './restoration-facts.ts';

/** Whether it asks what becomes of a supervisor that is not restored by itself any more. */
export function isBreaker(question: Pick<QuestionRow, 'askKey'>): boolean {
  return question.askKey?.startsWith(breaker.keyPrefix) === true;
}

/** Whether this answer lets the supervisor go on. */
export function letsGoOn(question: Pick<QuestionRow, 'askKey'>, answer: string): boolean {
  return isBreaker(question) && answer === breaker.resume;
}

export type Restored = 'nothing' | 'blocked' | RestorationPlan['strategy'];

export function restoreSupervisor(
  engine: Engine,
  caller: System,
  input: { taskId: string; attempt: number },
): Promise<Acted<Restored>> {
  return act(engine, { caller }, async (a) => {
    const seen = await findTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    if (seen?.contractId == null) return 'nothing';
    const contract = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: seen.contractId,
      strength: 'update',
    });
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    const due =
      task !== undefined &&
      task.isSupervisor &&
      task.status === 'interrupted' &&
      task.currentAttempt === input.attempt;
    if (!due || contract === undefined || !mayWork(contract.status)) return 'nothing';
    if (await isWithPerson(a.tx, { taskId: task.id })) return 'blocked';
    const window = new Date(a.now.getTime() - engine.limits.restorationWindowMs);
    await engine.race?.('restore.claimed');
    // A person who let it go on has looked: what was before counts no more.
    const looked = await lastLookedAt(a.tx, { contractId: contract.id });
    const since = looked !== null && looked > window ? looked : window;
    const allowed = restorationAllowed(
      await restoredSince(a.tx, { taskId: task.id, since }),
      a.now,
    );
    if (!allowed.ok) {
      return block(
        a,
        contract,
        task,
        `${allowed.blocked} At last: ${task.errorMessage ?? 'no reason given'}.`,
      );
    }
    if (await startIsHopeless(a, task, looked)) {
      const why = task.errorMessage ?? 'no reason given';
      return block(
        a,
        contract,
        task,
        `It cannot be started, and another try would not help: ${why}`,
      );
    }
    const facts = await restorationFacts(a, contract, task);
    const plan = planRestoration(facts, a.now);
    if (plan.strategy === 'manual') return block(a, contract, task, plan.warnings.join(' '));
    await engine.race?.('restore.planned');
    const count = await carryOut(a, { contract, task, facts, plan });
    return count === undefined ? 'nothing' : plan.strategy;
  });
}

/** What it was to begin with is not there, and no person has looked since. */
async function startIsHopeless(a: Act, task: TaskRow, looked: Date | null): Promise<boolean> {
  const last = await findAttempt(a.tx, { taskId: task.id, attempt: task.currentAttempt });
  if (last?.reason?.startsWith('cannot_start:') !== true) return false;
  return looked === null || last.endedAt === null || looked < last.endedAt;
}

/** Too many restorations, or too much that does not fit: a person looks before anything is tried again. */
async function block(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  reason: string,
): Promise<Restored> {
  const active =
    contract.status === 'waiting_for_input'
      ? await moveContract(a, contract, { to: 'active' })
      : contract;
  if (active.status === 'active' && a.engine.settings.features.enhancedContractStatus)
    await moveContract(a, active, { to: 'blocked', blockedReason: reason });
  await saveCondition(a.tx, {
    taskId: task.id,
    state: 'interrupted',
    activity: reason,
    errorMessage: reason,
  });
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (open.some(isBreaker)) return 'blocked';
  await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: null,
    question: `The supervisor of "${contract.name}" cannot be restored by itself: ${reason} What now?`,
    choices: [breaker.resume, breaker.leave],
    nonBlocking: true,
    askKey: `${breaker.keyPrefix}${task.currentAttempt}`,
  });
  a.emit('supervisor.blocked', { contractId: contract.id, taskId: task.id, data: { reason } });
  return 'blocked';
}
