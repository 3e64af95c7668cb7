/** Questions as people see them, and as their asker reads the answer. */
import type { Question } from '@makima/contracts/entity/question';
import { databaseTime } from '@makima/db/repo/clock';
import {
  findQuestion,
  findQuestionInFull,
  holdQuestion,
  listQuestionRows,
  takeAnswer,
} from '@makima/db/repo/questions';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { QuestionRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { idCursor } from '../page-cursor.ts';
import { presentQuestion } from '../present/question.ts';
import { notFound, refuseDaemon, requireReader } from '../authorize.ts';

export async function getQuestion(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<Question> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => questionView(sql, await visible(sql, caller, input.id)))(),
  );
}

/** Open, answered or cancelled ones, oldest first. */
export async function listQuestions(
  engine: Engine,
  caller: Principal,
  input: {
    status: 'open' | 'answered' | 'cancelled';
    contractId?: string | undefined;
    limit: number;
    after?: string | undefined;
  },
): Promise<{ items: Question[]; nextCursor: string | null }> {
  requireReader(caller, 'list questions');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const rows = await listQuestionRows(sql, {
        ownerId: caller.ownerId,
        status: input.status,
        contractId: input.contractId,
        afterId: idCursor(input.after),
        limit: input.limit + 1,
      });
      const page = rows.slice(0, input.limit);
      const items = page.map(presentQuestion);
      return { items, nextCursor: rows.length > input.limit ? (page.at(-1)?.id ?? null) : null };
    })(),
  );
}

export interface AnswerState {
  readonly questionId: string;
  readonly status: QuestionRow['status'];
  readonly response: string | null;
  /** Milliseconds that its asker still waits, as it said when it asked; null: without an end. */
  readonly waitLeftMs: number | null;
}

/**
 * What the asker knows by now. `hold`: a request goes on holding for so long. `take`: the answer is being
 * read as the tool's result, so it need not be sent as a message. Both are the present asker's alone: another
 * agent, or an attempt that is over, reads and leaves no mark.
 */
export async function readAnswer(
  engine: Engine,
  caller: Principal,
  input: { questionId: string; take?: boolean; holdMs?: number },
): Promise<AnswerState> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await visible(sql, caller, input.questionId);
      const isAsker = caller.kind === 'agent' && caller.taskId === row.taskId;
      const marks = isAsker || caller.kind === 'system';
      const attempt = isAsker ? caller.attempt : undefined;
      if (marks && row.status === 'answered' && input.take === true)
        await takeAnswer(sql, { id: row.id, attempt });
      if (marks && row.status === 'open' && input.holdMs !== undefined)
        await holdQuestion(sql, { id: row.id, untilMs: input.holdMs, attempt });
      const waitLeftMs =
        row.waitUntil === null
          ? null
          : row.waitUntil.getTime() - (await databaseTime(sql)).getTime();
      return { questionId: row.id, status: row.status, response: row.response, waitLeftMs };
    })(),
  );
}

/** A supervisor sees the questions of its contract, another agent only its own. */
async function visible(db: Queryable, caller: Principal, id: string): Promise<QuestionRow> {
  refuseDaemon(caller);
  const row = await findQuestion(db, { ownerId: caller.ownerId, id });
  const mayRead =
    row !== undefined &&
    (caller.kind !== 'agent' ||
      (caller.isSupervisor ? row.contractId === caller.contractId : row.taskId === caller.taskId));
  if (row === undefined || !mayRead) throw notFound('question', id);
  return row;
}

/** As people see it, by now. */
export async function questionView(db: Queryable, row: QuestionRow): Promise<Question> {
  const full = await findQuestionInFull(db, { ownerId: row.ownerId, id: row.id });
  if (full === undefined) throw notFound('question', row.id);
  return presentQuestion(full);
}
