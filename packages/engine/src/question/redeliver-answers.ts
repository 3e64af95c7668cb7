/** Sweep: answers that came while nobody held for them any more go to their asker as messages, once. */
import { lockQuestion, undeliveredAnswers } from '@makima/db/repo/questions';
import { act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { deliver } from './deliver.ts';

export async function deliverLateAnswers(
  engine: Engine,
  input: { limit: number },
): Promise<number> {
  const due = await undeliveredAnswers(engine.database.sql, input);
  await eachRow(due, (row) =>
    act(
      engine,
      { caller: { kind: 'system', ownerId: row.ownerId, name: 'late-answers' } },
      async (a) => {
        const question = await lockQuestion(a.tx, { ownerId: a.ownerId, id: row.id });
        if (question !== undefined && question.takenAt === null) await deliver(a, question);
      },
    ),
  );
  return due.length;
}
