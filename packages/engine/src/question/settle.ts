/**
 * An answer takes effect, whoever gives it: the row, the event, the way to its asker, and what follows for
 * the contract and its supervisor. The caller holds the locks of contract and question.
 *
 * Law: fenced by the question being open; who comes second is told who was first and what they said.
 */
import { channels } from '@makima/contracts/channels';
import { MakimaError } from '@makima/domain/error';
import { afterLastAnswer } from '@makima/domain/supervisor';
import { findContract, touchContract } from '@makima/db/repo/contracts';
import { answerRow, openQuestionsOf } from '@makima/db/repo/questions';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { findTask } from '@makima/db/repo/tasks';
import type { ContractRow, QuestionRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { syncWaiting } from '../contract/move.ts';
import { savePoint } from '../save-point.ts';

export interface Answered {
  readonly value: string;
  /** Null when nobody did: its default. */
  readonly userId: string | null;
  readonly by: string;
}

/** @throws QUESTION_ANSWERED, CONFIRMATION_VOID. */
export async function writeAnswer(
  a: Act,
  question: QuestionRow,
  answer: Answered,
): Promise<QuestionRow> {
  const row = await answerRow(a.tx, {
    id: question.id,
    response: answer.value,
    userId: answer.userId,
    by: answer.by,
  });
  if (row === undefined) throw tooLate(question);
  // Before its mailbox, as everybody takes them who brings it something.
  if (row.taskId !== null) await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: row.taskId });
  a.emit('question.answered', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: { questionId: row.id, response: answer.value, by: answer.by },
  });
  a.hint(channels.questionDone(row.id));
  return row;
}

export function tooLate(question: QuestionRow): MakimaError {
  if (question.status === 'cancelled') {
    return new MakimaError(
      'CONFIRMATION_VOID',
      'this question was withdrawn: what it showed has changed',
      { fix: 'look at the inbox again' },
    );
  }
  return new MakimaError(
    'QUESTION_ANSWERED',
    `${question.answeredBy ?? 'somebody'} answered already: ${question.response ?? ''}`,
    {
      details: {
        answeredBy: question.answeredBy,
        response: question.response,
        answeredAt: question.answeredAt?.toISOString(),
      },
      fix: 'tell the agent more: makima tasks message',
    },
  );
}

/** The contract goes on when nothing else is asked, and its supervisor with it. */
export async function afterAnswer(
  a: Act,
  contract: ContractRow,
  question: QuestionRow,
): Promise<void> {
  const present = await findContract(a.tx, { ownerId: a.ownerId, id: contract.id });
  if (present !== undefined) await syncWaiting(a, present);
  await touchContract(a.tx, { contractId: contract.id, progress: 'yes' });
  a.mail(
    'evaluate-contract',
    { contractId: contract.id },
    { entityId: contract.id, fence: `answered-${question.id}` },
  );
  await askerGoesOn(a, question);
}

/** Nothing that was asked for it is open any more: it works again. */
export async function askerGoesOn(
  a: Act,
  question: Pick<QuestionRow, 'taskId' | 'contractId'>,
): Promise<void> {
  const { taskId, contractId } = question;
  if (taskId === null || contractId === null) return;
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId });
  if (open.some((q) => q.taskId === taskId && !q.nonBlocking)) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: taskId });
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId });
  if (task !== undefined && supervisor?.state === 'waiting_for_user')
    await savePoint(a, task, afterLastAnswer());
}
