/**
 * A supervisor that has ended its turn while nothing will ever wake it: it is told what is still owed, twice
 * at most, and then a person is asked what it should do. Nobody stands still in silence.
 *
 * Law: only when nothing is under way: no task, no wait, no question, no unread message.
 */
import type { Missing } from '@makima/domain/gate';
import { isTaskFinal } from '@makima/domain/task';
import { countMessages, undeliveredMessages } from '@makima/db/repo/messages';
import { countAsked, insertQuestion, openQuestionsOf } from '@makima/db/repo/questions';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { findTask, tasksOfContract } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import type { ContractRow, SupervisorRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { syncWaiting } from '../contract/move.ts';
import { sendMessage } from '../message/send.ts';

const mostNudges = 2;

/** So much of a failure stands in the question itself. */
const errorChars = 500;

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The caller holds the contract. Answers whether something was said. */
export async function nudgeIdle(
  a: Act,
  contract: ContractRow,
  missing: readonly Missing[],
): Promise<boolean> {
  const { supervisorTaskId } = contract;
  if (contract.status !== 'active' || supervisorTaskId === null) return false;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: supervisorTaskId });
  if (task === undefined || task.status !== 'running' || task.session !== 'live') return false;
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (supervisor?.state !== 'idle' || (await somethingComes(a, contract, task))) return false;
  const owed = missing.map((item) => item.sentence).join(' ');
  const said = { taskId: task.id, source: 'nudge', attempt: task.currentAttempt };
  if ((await countMessages(a.tx, said)) < mostNudges) await nudge(a, contract, task, owed);
  else await askPerson(a, contract, task, supervisor);
  return true;
}

/** A task, a wait, a question or a message that will wake it by itself. */
async function somethingComes(a: Act, contract: ContractRow, task: TaskRow): Promise<boolean> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [tasks, waits, questions, messages] = await Promise.all([
    tasksOfContract(a.tx, about),
    openWaitsOf(a.tx, { taskId: task.id }),
    openQuestionsOf(a.tx, about),
    undeliveredMessages(a.tx, { taskId: task.id }),
  ]);
  return (
    tasks.some((other) => !other.isSupervisor && !isTaskFinal(other.status)) ||
    waits.length > 0 ||
    questions.some((question) => !question.nonBlocking) ||
    messages.length > 0
  );
}

async function nudge(a: Act, contract: ContractRow, task: TaskRow, owed: string): Promise<void> {
  const failed = task.errorMessage === null ? '' : ` Your last turn failed: ${task.errorMessage}`;
  const text = `[Nudge] You ended your turn, and nothing is under way that would wake you. The contract is in phase ${contract.phase}. ${owed}${failed} Go on, or ask a person with makima_ask.`;
  await sendMessage(a, { taskId: task.id, text, mode: 'queue', source: 'nudge', sourceId: null });
}

async function askPerson(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  supervisor: SupervisorRow,
): Promise<void> {
  const opening = `The supervisor of "${contract.name}" has stopped in ${contract.phase}`;
  const before = await countAsked(a.tx, { taskId: task.id, opening });
  const again = before === 0 ? '' : ` (asked ${before + 1} times)`;
  // The failure of its last turn, or else the last one there was: nudges may have ended without another.
  const error = task.errorMessage ?? supervisor.errorMessage;
  const failure =
    error === null ? '' : ` Its last failure: ${sentence(error.slice(0, errorChars))}`;
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: task.id,
    askedEpoch: task.currentAttempt,
    question: `${opening}${again}.${failure} What should it do next?`,
    // All of it, for who has room; a question is read in lists too.
    context: error ?? supervisor.currentActivity,
  });
  if (question === undefined) return;
  a.emit('question.asked', {
    contractId: contract.id,
    taskId: task.id,
    data: {
      questionId: question.id,
      questionType: 'general',
      question: question.question,
      choices: [],
    },
  });
  await syncWaiting(a, contract);
}
