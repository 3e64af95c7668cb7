/** Questions: one id for ever, answered once. */
import type { Permit } from '@makima/domain/permit';
import type { QuestionSubject } from '@makima/domain/question';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { ConfirmationRow, QuestionRow } from '../rows.ts';

export type NewQuestion = Pick<QuestionRow, 'ownerId' | 'contractId' | 'taskId' | 'question'> &
  Partial<QuestionRow>;

/** Undefined when the asker asked this very question before (same ask key). */
export async function insertQuestion(tx: Tx, row: NewQuestion): Promise<QuestionRow | undefined> {
  const tool = row.tool == null ? {} : { tool: tx.json(row.tool as never) };
  const subject = row.subject == null ? {} : { subject: tx.json(row.subject as never) };
  const [made] = await tx<QuestionRow[]>`
    insert into questions ${tx({ ...row, ...tool, ...subject } as never)}
    on conflict (task_id, ask_key) where ask_key is not null do nothing returning *`;
  return made;
}

export async function findQuestion(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<QuestionRow | undefined> {
  const [row] = await db<
    QuestionRow[]
  >`select * from questions where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** The question that this agent asked under this key of its own. */
export async function findAsked(
  db: Queryable,
  args: { taskId: string; askKey: string },
): Promise<QuestionRow | undefined> {
  const [row] = await db<
    QuestionRow[]
  >`select * from questions where task_id = ${args.taskId} and ask_key = ${args.askKey}`;
  return row;
}

export async function lockQuestion(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<QuestionRow | undefined> {
  const [row] = await tx<
    QuestionRow[]
  >`select * from questions where owner_id = ${args.ownerId} and id = ${args.id} for update`;
  return row;
}

/** Fenced by being open: the first answer wins. */
export async function answerRow(
  tx: Tx,
  args: { id: string; response: string; userId: string | null; by: string },
): Promise<QuestionRow | undefined> {
  const [row] = await tx<QuestionRow[]>`
    update questions set status = 'answered', response = ${args.response}, answered_by_user_id = ${args.userId},
           answered_by = ${args.by}, answered_at = clock()
     where id = ${args.id} and status = 'open' returning *`;
  return row;
}

/**
 * The question that a supervisor asked in these words in a conversation that is gone: the first that its present
 * one has not asked again. From now on it is asked by this epoch. A person who has it begin anew wants new questions.
 */
export async function takeUpQuestion(
  tx: Tx,
  args: Pick<QuestionRow, 'question' | 'context' | 'multiSelect'> & {
    taskId: string;
    epoch: number;
    choices: readonly string[];
  },
): Promise<QuestionRow | undefined> {
  const [row] = await tx<QuestionRow[]>`
    update questions set asked_epoch = ${args.epoch} where id = (
      select q.id from questions q join supervisors s on s.task_id = q.task_id
       where q.task_id = ${args.taskId} and q.question_type = 'general' and q.status in ('open', 'answered')
         and not q.phaseguard and q.permit is null and q.subject is null and q.ask_key is null
         and q.question = ${args.question} and q.context is not distinct from ${args.context}
         and q.choices = ${args.choices as string[]}::text[] and q.multi_select = ${args.multiSelect}
         and s.restoration_source <> 'person'
         and q.asked_epoch < (select max(r.epoch) from restorations r where r.task_id = q.task_id
                                 and r.epoch <= ${args.epoch} and r.strategy in ('fresh', 'checkpoint'))
       order by q.asked_at, q.id limit 1)
    returning *`;
  return row;
}

/** An agent asks again what it had broken off: the same question, under the same id. */
export async function reopenQuestion(
  tx: Tx,
  args: { id: string; epoch: number },
): Promise<QuestionRow | undefined> {
  const [row] = await tx<QuestionRow[]>`
    update questions set status = 'open', asked_epoch = ${args.epoch}, asked_at = clock()
     where id = ${args.id} and status = 'cancelled' returning *`;
  return row;
}

/** Nobody but a person answers it from now on; the default stays as what its asker would have taken. */
export async function stopDefault(tx: Tx, args: { id: string }): Promise<QuestionRow | undefined> {
  const [row] = await tx<QuestionRow[]>`
    update questions set default_at = null
     where id = ${args.id} and status = 'open' and default_at is not null returning *`;
  return row;
}

/** Open questions whose default is due, in contracts that work. */
export async function dueDefaults(db: Queryable, args: { limit: number }): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select q.* from questions q left join contracts c on c.id = q.contract_id
     where q.status = 'open' and q.default_at <= clock()
       and (c.id is null or c.status in ('created', 'active', 'waiting_for_input'))
     order by q.default_at limit ${args.limit}`;
}

export async function cancelQuestionRow(
  tx: Tx,
  args: { id: string },
): Promise<QuestionRow | undefined> {
  const [row] = await tx<
    QuestionRow[]
  >`update questions set status = 'cancelled' where id = ${args.id} and status = 'open' returning *`;
  return row;
}

/** A request holds for the answer until then; with `attempt`, only while that is its asker's present one. */
export async function holdQuestion(
  tx: Queryable,
  args: { id: string; untilMs: number; attempt?: number | undefined },
): Promise<void> {
  await tx`update questions q set held_until = clock() + make_interval(secs => ${args.untilMs / 1000})
            where q.id = ${args.id} ${presently(tx, args.attempt)}`;
}

/** How long its asker waits in all; null: without an end. */
export async function endWait(tx: Tx, args: { id: string; afterMs: number | null }): Promise<void> {
  const seconds = args.afterMs === null ? null : args.afterMs / 1_000;
  await tx`update questions set wait_until = clock() + make_interval(secs => ${seconds}) where id = ${args.id}`;
}

/** The asker has read the answer; with `attempt`, only the present one may. False when it had before. */
export async function takeAnswer(
  tx: Queryable,
  args: { id: string; attempt?: number | undefined },
): Promise<boolean> {
  const done = await tx`
    update questions q set taken_at = clock()
     where q.id = ${args.id} and q.status = 'answered' and q.taken_at is null ${presently(tx, args.attempt)}`;
  return done.count === 1;
}

function presently(tx: Queryable, attempt: number | undefined) {
  if (attempt === undefined) return tx``;
  return tx`and exists (
    select 1 from tasks t join task_attempts a on a.task_id = t.id and a.attempt = t.current_attempt
     where t.id = q.task_id and t.current_attempt = ${attempt} and a.state in ('assigned', 'running'))`;
}

/** Answers that the asker took within the life of this attempt, or that went to it as messages. */
export async function answersTakenSince(
  db: Queryable,
  args: { taskId: string; attempt: number },
): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select q.* from questions q join task_attempts a on a.task_id = q.task_id and a.attempt = ${args.attempt}
     where q.task_id = ${args.taskId} and q.status = 'answered' and q.taken_at >= a.assigned_at order by q.answered_at`;
}

/** How often questions that begin with these words were asked for a task. */
export async function countAsked(
  tx: Tx,
  args: { taskId: string; opening: string },
): Promise<number> {
  const [row] = await tx<{ n: number }[]>`
    select count(*)::int as n from questions where task_id = ${args.taskId} and starts_with(question, ${args.opening})`;
  return row?.n ?? 0;
}

/** Asked for this very permission, oldest first. */
export async function permitQuestions(
  tx: Tx,
  args: { ownerId: string; contractId: string; permit: Permit },
): Promise<QuestionRow[]> {
  return tx<QuestionRow[]>`
    select * from questions where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
       and permit = ${tx.json(args.permit as never)}::jsonb order by id`;
}

export async function openQuestionsOf(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select * from questions where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and status = 'open' order by id`;
}

/** Open questions of the control plane about a task. */
export async function openSubjectQuestions(
  tx: Tx,
  args: { taskId: string; kind: QuestionSubject['kind'] },
): Promise<QuestionRow[]> {
  return tx<QuestionRow[]>`
    select * from questions where task_id = ${args.taskId} and status = 'open' and subject ->> 'kind' = ${args.kind}
     order by id for update`;
}

/** Answered, but their asker has not read the answer. */
export async function untakenAnswers(
  db: Queryable,
  args: { taskId: string },
): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select * from questions where task_id = ${args.taskId} and status = 'answered' and taken_at is null order by answered_at`;
}

/** Answered while nobody held for it any more: these go to their asker as messages. Who rests reads a digest. */
export async function undeliveredAnswers(
  sql: Sql,
  args: { limit: number },
): Promise<QuestionRow[]> {
  return sql<QuestionRow[]>`
    select q.* from questions q where q.status = 'answered' and q.taken_at is null and q.task_id is not null
       and (q.held_until is null or q.held_until < clock() - interval '5 s')
       and not exists (select 1 from tasks t where t.id = q.task_id and t.is_supervisor and q.ask_key is null
                          and t.session in ('parked', 'limited'))
     order by q.answered_at limit ${args.limit}`;
}

export async function redeliverQuestions(
  tx: Tx,
  args: { ids: readonly string[]; epoch: number },
): Promise<void> {
  if (args.ids.length === 0) return;
  await tx`update questions set redelivered_epoch = ${args.epoch}, held_until = null
            where id = any(${args.ids as string[]}::uuid[]) and status = 'open'`;
}

/** A question with its contract, its asker and what it asks to confirm. */
export interface QuestionListRow extends QuestionRow {
  readonly contractSlug: string | null;
  readonly contractName: string | null;
  /** Name of the task that asks. */
  readonly askedBy: string | null;
  readonly fromPhase: string | null;
  readonly toPhase: string | null;
  readonly contractVersion: number | null;
  readonly shown: ConfirmationRow['shown'] | null;
}

const withSurroundings = (db: Queryable) => db`
  select q.*, c.slug as contract_slug, c.name as contract_name, t.name as asked_by,
         k.from_phase, k.to_phase, k.contract_version, k.shown
    from questions q left join contracts c on c.id = q.contract_id left join tasks t on t.id = q.task_id
    left join confirmations k on k.owner_id = q.owner_id and k.id = q.confirmation_id`;

/** Oldest first, after a question's id. */
export async function listQuestionRows(
  db: Queryable,
  args: {
    ownerId: string;
    status: string;
    contractId?: string | undefined;
    afterId?: string | undefined;
    limit: number;
  },
): Promise<QuestionListRow[]> {
  return db<QuestionListRow[]>`
    ${withSurroundings(db)}
     where q.owner_id = ${args.ownerId} and q.status = ${args.status}
       ${args.contractId === undefined ? db`` : db`and q.contract_id = ${args.contractId}`}
       ${args.afterId === undefined ? db`` : db`and q.id > ${args.afterId}`}
     order by q.id limit ${args.limit}`;
}

export async function findQuestionInFull(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<QuestionListRow | undefined> {
  const [row] = await db<QuestionListRow[]>`
    ${withSurroundings(db)} where q.owner_id = ${args.ownerId} and q.id = ${args.id}`;
  return row;
}

export async function openQuestionsOfTasks(
  db: Queryable,
  args: { ownerId: string; taskIds: readonly string[] },
): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select * from questions where owner_id = ${args.ownerId} and status = 'open'
       and task_id = any(${args.taskIds as string[]}::uuid[]) order by id`;
}
