/**
 * Questions of the control plane itself: a person's answer is a decision that is carried out, in the words
 * that the question offers.
 *
 * Law: words that decide nothing are refused, so that nobody believes that they decided.
 */
import { MakimaError } from '@makima/domain/error';
import { limitChoices, readLimitChoice } from '@makima/domain/usage-limit';
import { takeAnswer } from '@makima/db/repo/questions';
import { lockTask } from '@makima/db/repo/tasks';
import type { QuestionRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { decideLimit } from '../limit/decide.ts';
import type { Person } from '../principal.ts';

/** Locked before the question is, as everybody does. Undefined for a question that decides nothing here. */
export async function lockSubject(a: Act, question: QuestionRow): Promise<TaskRow | undefined> {
  const { subject } = question;
  return subject === null ? undefined : lockTask(a.tx, { ownerId: a.ownerId, id: subject.taskId });
}

/** @throws VALIDATION_FAILED for words that decide nothing. */
export function checkDecision(question: QuestionRow, answer: string): void {
  if (question.subject === null || readLimitChoice(answer) !== undefined) return;
  throw new MakimaError('VALIDATION_FAILED', 'this answer decides nothing', {
    details: {
      errors: [{ pointer: '/response', detail: `one of: ${limitChoices.join(', ')}` }],
      choices: question.choices,
    },
    fix: 'answer with one of the choices',
  });
}

export async function carryOutDecision(
  a: Act,
  person: Person,
  decided: { readonly question: QuestionRow; readonly task: TaskRow | undefined },
): Promise<void> {
  const { question, task } = decided;
  const choice = readLimitChoice(question.response ?? '');
  const { subject } = question;
  // Nobody reads it as an answer.
  await takeAnswer(a.tx, { id: question.id });
  if (subject === null || task === undefined || choice === undefined) return;
  await decideLimit(a, person, { task, subject, choice });
}
