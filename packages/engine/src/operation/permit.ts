/**
 * An agent's act that needs a person: granted when a person allowed this very act, else asked for in the inbox.
 *
 * Law: only a person's answer to the control plane's own question grants it; an agent can neither word that
 * question nor answer it. What was asked must be committed: it is a value, not an exception.
 */
import { MakimaError } from '@makima/domain/error';
import { permitAsksMax, type Permit } from '@makima/domain/permit';
import { permissionChoices, permissionVerdict } from '@makima/domain/question';
import { afterQuestion } from '@makima/domain/supervisor';
import { insertQuestion, openQuestionsOf, permitQuestions } from '@makima/db/repo/questions';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { syncWaiting } from '../contract/move.ts';
import { checkRoomToAsk } from '../question/asked.ts';
import { savePoint } from '../save-point.ts';

/** Ordered from a machine, or asked of a person first. */
export type Ordered =
  | { readonly operationId: string; readonly questionId: null }
  | { readonly operationId: null; readonly questionId: string };

export interface Wanted {
  readonly permit: Permit;
  /** For the person: one sentence, and what else to know. */
  readonly question: string;
  readonly context: string | null;
  /** Whether the leave that was given then is used up; default: it stands for good. */
  readonly usedUp?: (givenAt: Date) => Promise<boolean>;
}

/**
 * Null: a person allowed it. The caller holds the contract's lock for update, and the supervisor's.
 * @throws LIMIT_EXCEEDED when too much is asked already; FORBIDDEN when a person denied it often enough.
 */
export async function permitted(
  a: Act,
  contract: ContractRow,
  supervisor: TaskRow,
  wanted: Wanted,
): Promise<string | null> {
  const { permit } = wanted;
  const about = { ownerId: a.ownerId, contractId: contract.id, permit };
  const asked = await permitQuestions(a.tx, about);
  const open = asked.find(({ status }) => status === 'open');
  if (open !== undefined) return open.id;
  const answered = asked.filter(({ status }) => status === 'answered');
  const last = answered.at(-1);
  if (last !== undefined && isAllowed(last) && !(await isUsedUp(last, wanted))) return null;
  const denials = answered.slice(answered.findLastIndex(isAllowed) + 1);
  if (last !== undefined && denials.length >= permitAsksMax) throw denied(last);
  return ask(a, contract, supervisor, wanted);
}

function isAllowed({ answeredByUserId, response }: QuestionRow): boolean {
  return answeredByUserId !== null && permissionVerdict(response ?? '').allow;
}

async function isUsedUp({ answeredAt }: QuestionRow, { usedUp }: Wanted): Promise<boolean> {
  return usedUp !== undefined && answeredAt !== null && usedUp(answeredAt);
}

function denied({ answeredBy, response }: QuestionRow): MakimaError {
  return new MakimaError('FORBIDDEN', `${answeredBy ?? 'a person'} denied it: ${response ?? ''}`, {
    fix: 'go on without it',
  });
}

async function ask(
  a: Act,
  contract: ContractRow,
  supervisor: TaskRow,
  { permit, question, context }: Wanted,
): Promise<string> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  checkRoomToAsk(a, open);
  const row = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: supervisor.id,
    askedEpoch: supervisor.currentAttempt,
    question,
    context,
    choices: [...permissionChoices],
    questionType: 'permission',
    permit,
  });
  if (row === undefined)
    throw new MakimaError('CONFLICT', 'the question could not be stored', { retryable: true });
  a.emit('question.asked', {
    contractId: contract.id,
    taskId: supervisor.id,
    data: {
      questionId: row.id,
      questionType: row.questionType,
      question: row.question,
      choices: row.choices,
      multiSelect: false,
      nonBlocking: false,
    },
  });
  await syncWaiting(a, contract);
  await savePoint(a, supervisor, afterQuestion(question));
  return row.id;
}
