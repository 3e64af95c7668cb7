/**
 * Bring a supervisor back where it was (job `restore-supervisor`): the rows are read, the plan is the
 * domain's, and what the plan says is written in one transaction: the notice, the questions delivered again
 * with their ids, the waits kept, the task pending for its next epoch.
 *
 * Law: exactly once per epoch, however many restorers look: the task's row and the epoch are the fence.
 */
import { restorationNotice, type NoticeFacts } from '@makima/domain/notice';
import {
  planRestoration,
  restorationAllowed,
  type RestorationPlan,
} from '@makima/domain/restoration';

import { mayWork } from '@makima/domain/contract';
import { lockContract } from '@makima/db/repo/contracts';
import { lastUnblockedAt } from '@makima/db/repo/events';
import {
  answersTakenSince,
  cancelQuestionRow,
  insertQuestion,
  openQuestionsOf,
  redeliverQuestions,
  untakenAnswers,
} from '@makima/db/repo/questions';
import {
  countRestoration,
  insertRestoration,
  restoredSince,
  saveCondition,
} from '@makima/db/repo/supervisors';
import { changeTask, findTask, lockTask } from '@makima/db/repo/tasks';
import { dropTranscript } from '@makima/db/repo/talk';
import { newId } from '@makima/db/repo/locks';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { moveContract } from '../contract/move.ts';
import { sendMessage } from '../message/send.ts';
import { deliver } from '../question/deliver.ts';
import { restorationFacts, type RestorationFacts } from './restoration-facts.ts';

/** The breaker's question, and the answer that lets the supervisor go on. */
const breakerKey = 'breaker-';
const resumeChoice = 'Resume it once more';

/** Whether this answer lets a blocked contract go on. */
export function letsGoOn(question: Pick<QuestionRow, 'askKey'>, answer: string): boolean {
  return question.askKey?.startsWith(breakerKey) === true && answer === resumeChoice;
}

/** A notice names so many answers, of so many characters. */
const answersNamedMax = 20;
const answerNamedChars = 2_000;

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
    const window = new Date(a.now.getTime() - engine.limits.restorationWindowMs);
    // A person who let it go on has looked: what was before counts no more.
    const looked = await lastUnblockedAt(a.tx, { contractId: contract.id });
    const since = looked !== null && looked > window ? looked : window;
    const breaker = restorationAllowed(
      await restoredSince(a.tx, { taskId: task.id, since }),
      a.now,
    );
    if (!breaker.ok) {
      return block(
        a,
        contract,
        task,
        `${breaker.blocked} At last: ${task.errorMessage ?? 'no reason given'}.`,
      );
    }
    const facts = await restorationFacts(a, contract, task);
    const plan = planRestoration(facts, a.now);
    if (plan.strategy === 'manual') return block(a, contract, task, plan.warnings.join(' '));
    await carryOut(a, contract, task, facts, plan);
    return plan.strategy;
  });
}

async function carryOut(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  facts: RestorationFacts,
  plan: RestorationPlan,
): Promise<void> {
  const epoch = task.currentAttempt + 1;
  const noticeId = await newId(a.tx);
  const count = await countRestoration(a.tx, { taskId: task.id, source: plan.strategy });
  const first = await insertRestoration(a.tx, {
    taskId: task.id,
    epoch,
    ownerId: a.ownerId,
    strategy: plan.strategy,
    findings: plan.findings,
    warnings: plan.warnings,
    noticeMessageId: noticeId,
    requestedBy: a.caller.name,
  });
  if (!first) return;
  await sendMessage(a, {
    id: noticeId,
    taskId: task.id,
    mode: 'steer',
    source: 'notice',
    sourceId: null,
    text: notice(contract, task, { ...facts, answers: await answersGiven(a, task) }, plan, {
      epoch,
      count,
    }),
  });
  await redeliver(a, task, plan, epoch);
  const fresh = plan.strategy !== 'resume_session';
  if (fresh) await dropTranscript(a.tx, { taskId: task.id });
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['interrupted'],
    set: {
      status: 'pending',
      pendingSince: a.now,
      retryCount: task.retryCount + 1,
      ...(fresh ? { sessionId: await newId(a.tx), sessionStartedAt: null } : {}),
      ...(plan.strategy === 'checkpoint'
        ? { checkpointSha: facts.checkpoint?.commit ?? null }
        : {}),
    },
  });
  await saveCondition(a.tx, {
    taskId: task.id,
    from: ['interrupted'],
    state: 'initializing',
    activity: 'Restored after an interruption',
  });
  a.mail('spawn-task', { taskId: task.id }, { entityId: task.id, fence: `restore-${epoch}` });
}

/** What the epoch that died was told: its conversation may not hold it. */
async function answersGiven(
  a: Act,
  task: TaskRow,
): Promise<{ question: string; answer: string }[]> {
  const rows = await answersTakenSince(a.tx, { taskId: task.id, attempt: task.currentAttempt });
  return rows.slice(-answersNamedMax).map((row) => ({
    question: row.question.slice(0, answerNamedChars),
    answer: (row.response ?? '').slice(0, answerNamedChars),
  }));
}

function notice(
  contract: ContractRow,
  task: TaskRow,
  facts: RestorationFacts & Pick<NoticeFacts, 'answers'>,
  plan: RestorationPlan,
  number: { epoch: number; count: number },
): string {
  return restorationNotice({
    cause: task.errorMessage ?? 'Its agent went away.',
    strategy: plan.strategy === 'manual' ? 'fresh' : plan.strategy,
    epoch: number.epoch,
    restorationCount: number.count,
    phase: contract.phase,
    deliverables: facts.deliverables,
    questions: facts.questions.filter((q) => plan.redeliver.includes(q.id)),
    answers: facts.answers,
    tasks: facts.tasks.map((t) => ({ ...t, isAwaited: facts.awaitedTaskIds.includes(t.id) })),
    warnings: plan.warnings,
  });
}

/** Open questions keep their ids; answers that nobody read go along; those without an asker end. */
async function redeliver(
  a: Act,
  task: TaskRow,
  plan: RestorationPlan,
  epoch: number,
): Promise<void> {
  await redeliverQuestions(a.tx, { ids: plan.redeliver, epoch });
  for (const id of plan.redeliver) {
    a.emit('question.redelivered', {
      contractId: task.contractId,
      taskId: task.id,
      data: { questionId: id, epoch },
    });
  }
  for (const id of plan.cancelQuestions) await cancelQuestionRow(a.tx, { id });
  for (const question of await untakenAnswers(a.tx, { taskId: task.id }))
    await deliver(a, { ...question, heldUntil: null });
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
  if (active.status === 'active')
    await moveContract(a, active, { to: 'blocked', blockedReason: reason });
  await saveCondition(a.tx, {
    taskId: task.id,
    state: 'interrupted',
    activity: reason,
    errorMessage: reason,
  });
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (open.some((question) => question.askKey?.startsWith(breakerKey))) return 'blocked';
  await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: null,
    question: `The supervisor of "${contract.name}" cannot be restored by itself: ${reason} What now?`,
    choices: [resumeChoice, 'Leave it blocked'],
    nonBlocking: true,
    askKey: `${breakerKey}${task.currentAttempt}`,
  });
  a.emit('supervisor.blocked', { contractId: contract.id, taskId: task.id, data: { reason } });
  return 'blocked';
}
