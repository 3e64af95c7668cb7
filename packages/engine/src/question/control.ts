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
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import { checkBudgetAnswer, decideBudget } from '../budget/decide.ts';
import type { Act } from '../context.ts';
import { lockedTasks } from '../contract/pause.ts';
import { decideLimit } from '../limit/decide.ts';
import type { Person } from '../principal.ts';

/** What is decided about. Its contract is held by whoever answers. */
export interface Subject {
  readonly contract: ContractRow | undefined;
  readonly task: TaskRow | undefined;
}

/** Locked before the question is, as everybody does: its task, else all tasks of its contract. */
export async function lockSubject(
  a: Act,
  question: QuestionRow,
  contract: ContractRow | undefined,
): Promise<Subject> {
  const { subject } = question;
  if (subject === null) return { contract, task: undefined };
  // Whoever is stopped or goes on with it is of the same contract.
  if (subject.kind === 'budget' && contract !== undefined) await lockedTasks(a, contract);
  const { taskId } = subject;
  const task =
    taskId === null ? undefined : await lockTask(a.tx, { ownerId: a.ownerId, id: taskId });
  return { contract, task };
}

/** @throws VALIDATION_FAILED for words that decide nothing. */
export async function checkDecision(
  a: Act,
  question: QuestionRow,
  { contract, task }: Subject,
  answer: string,
): Promise<void> {
  const { subject, choices } = question;
  switch (subject?.kind) {
    case 'limit':
      if (readLimitChoice(answer) !== undefined) return;
      throw new MakimaError('VALIDATION_FAILED', 'this answer decides nothing', {
        details: {
          errors: [{ pointer: '/response', detail: `one of: ${limitChoices.join(', ')}` }],
          choices,
        },
        fix: 'answer with one of the choices',
      });
    case 'budget':
      if (contract !== undefined)
        await checkBudgetAnswer(a, { contract, task }, { answer, choices });
      return;
    case undefined:
  }
}

export async function carryOutDecision(
  a: Act,
  person: Person,
  decided: Subject & { readonly question: QuestionRow },
): Promise<void> {
  const { question, contract, task } = decided;
  const { subject } = question;
  const answer = question.response ?? '';
  // Nobody reads it as an answer.
  await takeAnswer(a.tx, { id: question.id });
  switch (subject?.kind) {
    case 'limit': {
      const choice = readLimitChoice(answer);
      if (task !== undefined && choice !== undefined)
        await decideLimit(a, person, { task, subject, choice });
      return;
    }
    case 'budget':
      if (contract !== undefined && (subject.taskId === null || task !== undefined))
        await decideBudget(a, person, { contract, task, answer });
      return;
    case undefined:
  }
}
