/** What a contract or task that is over still asked: nobody needs to answer it any more. */
import { channels } from '@makima/contracts/channels';
import { openConfirmation } from '@makima/db/repo/confirmations';
import {
  cancelQuestionRow,
  openQuestionsOf,
  openQuestionsOfTasks,
} from '@makima/db/repo/questions';
import { tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import { isTaskFinal } from '@makima/domain/task';
import type { Act } from '../context.ts';
import { voidConfirmation } from './confirmation.ts';
import { syncWaiting } from './move.ts';

/** The caller holds the contract's lock. */
export async function withdrawQuestions(
  a: Act,
  contract: ContractRow,
  reason: string,
): Promise<void> {
  const confirmation = await openConfirmation(a.tx, { contractId: contract.id });
  if (confirmation !== undefined) await voidConfirmation(a, contract, confirmation, reason);
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  for (const question of open) await withdraw(a, question, reason);
}

/**
 * Questions of agents whose task has ended; a request for confirmation stands for the contract and stays.
 * The caller holds the lock of a contract that is active or waits. Answers the contract as it is afterwards.
 */
export async function withdrawOrphaned(a: Act, contract: ContractRow): Promise<ContractRow> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  const asked = open.filter((question) => question.confirmationId === null);
  if (asked.length === 0) return contract;
  const askers = await tasksByIds(a.tx, {
    ownerId: a.ownerId,
    ids: [...new Set(asked.flatMap((question) => question.taskId ?? []))],
  });
  const ended = new Map(askers.filter((t) => isTaskFinal(t.status)).map((t) => [t.id, t.status]));
  const orphaned = asked.filter((question) => ended.has(question.taskId ?? ''));
  if (orphaned.length === 0) return contract;
  for (const question of orphaned)
    await withdraw(a, question, `the task that asked is ${ended.get(question.taskId ?? '')}`);
  return syncWaiting(a, contract);
}

/** Of a task without a contract that has ended. */
export async function withdrawOfTask(a: Act, task: TaskRow): Promise<void> {
  const open = await openQuestionsOfTasks(a.tx, { ownerId: a.ownerId, taskIds: [task.id] });
  for (const question of open) await withdraw(a, question, `the task that asked is ${task.status}`);
}

/** One question that nobody needs to answer any more. The caller brings the contract's status up to date. */
export async function withdraw(a: Act, question: QuestionRow, reason: string): Promise<void> {
  const row = await cancelQuestionRow(a.tx, { id: question.id });
  if (row === undefined) return;
  a.hint(channels.questionDone(row.id));
  a.emit('question.cancelled', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: { questionId: row.id, reason },
  });
}
