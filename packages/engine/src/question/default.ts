/**
 * What an asker said should hold when nobody answers (opt-in): taken when its time has come, and stopped by a
 * person who wants to think.
 *
 * Law: never of a guard, a confirmation or a permission; not while the contract stands still; a person who
 * answers at the same moment is either first or told.
 */
import type { Question } from '@makima/contracts/entity/question';
import { defaultAnswerer, isDefaultDue } from '@makima/domain/question';
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { lockContract } from '@makima/db/repo/contracts';
import { dueDefaults, findQuestion, lockQuestion, stopDefault } from '@makima/db/repo/questions';
import type { ContractRow, QuestionRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import { eachRow } from '../each-row.ts';
import { deliver } from './deliver.ts';
import { questionView } from './get.ts';
import { afterAnswer, tooLate, writeAnswer } from './settle.ts';

/** Sweep: defaults whose time has come. Answers how many rows it looked at. */
export async function answerByDefault(engine: Engine, input: { limit: number }): Promise<number> {
  const due = await dueDefaults(engine.database.sql, input);
  await eachRow(due, (row) =>
    act(
      engine,
      { caller: { kind: 'system', ownerId: row.ownerId, name: 'default-answers' } },
      (a) => takeDefault(a, row),
    ),
  );
  return due.length;
}

async function takeDefault(a: Act, seen: QuestionRow): Promise<void> {
  const { contract, question } = await locked(a, seen);
  if (question?.status !== 'open') return;
  if (contract !== undefined && !mayWork(contract.status)) return;
  const { questionType: type, defaultAnswer: answer, defaultAt: at } = question;
  if (answer === null || at === null) return;
  if (!isDefaultDue({ type, defaultAnswer: { answer, at } }, a.now)) return;
  const answered = await writeAnswer(a, question, {
    value: answer,
    userId: null,
    by: defaultAnswerer,
  });
  await deliver(a, answered);
  if (contract !== undefined) await afterAnswer(a, contract, answered);
}

/** Stop the countdown: from now on the question waits for a person. Twice is once. */
export function holdDefault(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<Question>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'stop the countdown of a question');
    const seen = await findQuestion(a.tx, { ownerId: a.ownerId, id: input.id });
    if (seen === undefined) throw notFound('question', input.id);
    const { question } = await locked(a, seen);
    if (question === undefined) throw notFound('question', input.id);
    if (question.status !== 'open') throw tooLate(question);
    if (question.defaultAnswer === null) {
      throw new MakimaError('CONFLICT', 'this question has no default: it waits for a person', {
        fix: `answer it: makima answer ${question.id}`,
      });
    }
    const stopped = await stopDefault(a.tx, { id: question.id });
    if (stopped !== undefined) {
      a.emit('question.held', {
        contractId: question.contractId,
        taskId: question.taskId,
        data: { questionId: question.id, by: person.name },
      });
    }
    return questionView(a.tx, stopped ?? question);
  });
}

async function locked(
  a: Act,
  seen: QuestionRow,
): Promise<{ contract: ContractRow | undefined; question: QuestionRow | undefined }> {
  const { ownerId } = a;
  const contract =
    seen.contractId === null
      ? undefined
      : await lockContract(a.tx, { ownerId, id: seen.contractId, strength: 'update' });
  return { contract, question: await lockQuestion(a.tx, { ownerId, id: seen.id }) };
}
