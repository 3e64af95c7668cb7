/**
 * A person's decision about an agent that met a usage limit: it goes on when the limit is over, at once, or
 * not at all.
 *
 * Law: of one attempt; an agent that has gone on meanwhile is left alone.
 */
import type { QuestionSubject } from '@makima/domain/question';
import type { LimitChoice } from '@makima/domain/usage-limit';
import { cancelQuestionRow, openSubjectQuestions } from '@makima/db/repo/questions';
import { changeTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import type { Person } from '../principal.ts';
import { stopTask } from '../task/cancel.ts';
import { goOnAfterLimit, liftLimitOf } from './go-on.ts';

/** The caller holds the task. */
export async function decideLimit(
  a: Act,
  person: Person,
  decided: {
    readonly task: TaskRow;
    readonly subject: Extract<QuestionSubject, { kind: 'limit' }>;
    readonly choice: LimitChoice;
  },
): Promise<void> {
  const { task, subject, choice } = decided;
  if (task.session !== 'limited' || task.currentAttempt !== subject.attempt) return;
  if (choice === 'stop') {
    const words = `${person.name} stopped it at a usage limit`;
    await stopTask(a, task, { status: 'cancelled', reason: 'cancelled', words });
    return;
  }
  if (choice === 'now') await liftLimitOf(a, task);
  const until = choice === 'now' ? a.now : new Date(subject.until);
  // A contract that rests lets nobody go on: the sweep finds it when the contract does.
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['paused'],
    set: { resumeAt: until },
  });
  if (row !== undefined && until <= a.now)
    await goOnAfterLimit(a, row, `${person.name} let it go on`);
}

/** It goes on by another way: nobody needs to decide any more. */
export async function withdrawLimitQuestion(a: Act, task: TaskRow): Promise<void> {
  for (const question of await openSubjectQuestions(a.tx, { taskId: task.id, kind: 'limit' })) {
    await cancelQuestionRow(a.tx, { id: question.id });
    a.emit('question.cancelled', {
      contractId: task.contractId,
      taskId: task.id,
      data: { questionId: question.id, reason: 'it goes on' },
    });
  }
}
