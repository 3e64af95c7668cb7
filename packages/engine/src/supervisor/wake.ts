/**
 * Start a supervisor that rests (parked, or at a usage limit) again with a digest of what came: its next
 * attempt continues the session. Job `wake-supervisor`.
 *
 * Law: woken once per attempt and only for a reason; a contract that rests wakes nobody. What the digest tells
 * counts as told.
 */
import { mayWork } from '@makima/domain/contract';
import { wakeDigest } from '@makima/domain/notice';
import { wakeReason, type Come, type WakeReason } from '@makima/domain/parking';
import { afterWake } from '@makima/domain/supervisor';
import { findContract } from '@makima/db/repo/contracts';
import { endedWaitsOf, pendingOf, unheardAnswers, type PendingRow } from '@makima/db/repo/parking';
import { openQuestionsOf, takeAnswer } from '@makima/db/repo/questions';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { lockTask, tasksOfContract } from '@makima/db/repo/tasks';
import { seeWait } from '@makima/db/repo/waits';
import type { ContractRow, QuestionRow, TaskRow, WaitRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { sendMessage } from '../message/send.ts';
import { savePoint } from '../save-point.ts';
import { pendingAgain } from '../task/pending-again.ts';
import { digestTask } from './digest-task.ts';

export function wakeSupervisor(
  engine: Engine,
  caller: System,
  input: { taskId: string; attempt: number },
): Promise<Acted<'nothing' | 'woken'>> {
  return act(engine, { caller }, async (a) => {
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    if (task === undefined || task.currentAttempt !== input.attempt) return 'nothing';
    const woken = await wakeResting(a, task);
    return woken === undefined ? 'nothing' : 'woken';
  });
}

/**
 * The caller holds the task's lock. `why`: it goes on whatever has come; at a usage limit only so. Undefined:
 * it does not rest, its contract does, or nothing has come.
 */
export async function wakeResting(
  a: Act,
  task: TaskRow,
  why?: 'asked' | 'limit',
): Promise<TaskRow | undefined> {
  const rests = task.session === 'parked' || (task.session === 'limited' && why !== undefined);
  if (task.contractId === null || !rests) return undefined;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  if (contract === undefined || !mayWork(contract.status)) return undefined;
  const news = await newsOf(a, task);
  const reason = why === 'limit' ? why : (news?.reason ?? why ?? null);
  if (news === undefined || reason === null) return undefined;
  const row = await pendingAgain(a, task);
  if (row === undefined) return undefined;
  await savePoint(a, task, afterWake(reason === 'timed_out' ? reason : 'satisfied'));
  await tell(a, contract, task, { ...news, reason });
  a.emit('supervisor.woken', {
    contractId: contract.id,
    taskId: task.id,
    data: { epoch: task.currentAttempt + 1, reason },
  });
  a.mail(
    'spawn-task',
    { taskId: task.id },
    { entityId: task.id, fence: `wake-${task.currentAttempt}` },
  );
  return row;
}

interface News {
  readonly reason: WakeReason | null;
  readonly waits: readonly WaitRow[];
  readonly answers: readonly QuestionRow[];
}

/** What has come for a parked supervisor. Its row is held: whatever else ends sees it parked, or is seen. */
export async function newsOf(a: Act, task: TaskRow): Promise<News | undefined> {
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  const about = { taskId: task.id, attempt: task.currentAttempt };
  const pending = await pendingOf(a.tx, about);
  if (supervisor === undefined || pending === undefined) return undefined;
  const [waits, answers] = await Promise.all([
    endedWaitsOf(a.tx, about),
    unheardAnswers(a.tx, about),
  ]);
  const reason = wakeReason(pending, comeOf(pending, waits, answers));
  return { reason, waits, answers };
}

function comeOf(
  pending: PendingRow,
  waits: readonly WaitRow[],
  answers: readonly QuestionRow[],
): Come {
  const satisfied = waits.filter(({ state }) => state === 'satisfied').length;
  const { unreadAnswers, unreadEnds, unreadMessages } = pending;
  return {
    satisfied: satisfied + unreadEnds,
    timedOut: waits.length - satisfied,
    answers: answers.length + unreadAnswers,
    messages: unreadMessages - unreadAnswers - unreadEnds,
  };
}

async function tell(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  news: News & { reason: WakeReason },
): Promise<void> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [tasks, open] = await Promise.all([
    tasksOfContract(a.tx, about),
    openQuestionsOf(a.tx, about),
  ]);
  for (const wait of news.waits) await seeWait(a.tx, { id: wait.id });
  for (const question of news.answers) await takeAnswer(a.tx, { id: question.id });
  await sendMessage(a, {
    taskId: task.id,
    mode: 'steer',
    source: 'wake',
    sourceId: null,
    text: wakeDigest({
      reason: news.reason,
      parked: true,
      phase: contract.phase,
      tasks: tasks.filter((t) => !t.isSupervisor).map(digestTask),
      answers: news.answers.map((q) => ({ question: q.question, answer: q.response ?? '' })),
      openQuestions: open.map((q) => ({ id: q.id, question: q.question })),
    }),
  });
}
