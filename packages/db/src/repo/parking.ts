/** Supervisors that wait, with a process or without: what may wake them, and what has come. */
import type { Pending } from '@makima/domain/parking';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { QuestionRow, WaitRow } from '../rows.ts';

export interface WaitingSupervisor {
  readonly ownerId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/**
 * Owners of supervisors that have been waiting for so long with a process, while work of theirs waits for a place;
 * of who waits longest first.
 */
export async function ownersInWant(
  sql: Sql,
  args: { waitedMs: number; limit: number },
): Promise<string[]> {
  const rows = await sql<{ ownerId: string }[]>`
    select t.owner_id from supervisors s join tasks t on t.owner_id = s.owner_id and t.id = s.task_id
     where ${isWaiting(sql)} and s.updated_at <= clock() - make_interval(secs => ${args.waitedMs / 1_000})
       and (select true from tasks p where p.owner_id = t.owner_id and p.status = 'pending' limit 1) is true
     group by t.owner_id order by min(s.updated_at) limit ${args.limit}`;
  return rows.map(({ ownerId }) => ownerId);
}

/**
 * Supervisors with a process that have been waiting for long, oldest first; on these crowded machines already after
 * `crowdedMs`, unless their contract has its own time. Those whose daemon was asked within `patienceMs` are left
 * alone.
 */
export async function longWaiting(
  sql: Sql,
  args: {
    parkAfterMs: number | null;
    crowdedMs: number;
    crowdedIds: readonly string[];
    patienceMs: number;
    limit: number;
  },
): Promise<WaitingSupervisor[]> {
  const otherwise = Math.round((args.parkAfterMs ?? 0) / 1_000);
  const crowded = Math.min(otherwise, args.crowdedMs / 1_000);
  return sql<WaitingSupervisor[]>`
    select t.owner_id, t.id as task_id, t.current_attempt as attempt
      from supervisors s
      join tasks t on t.owner_id = s.owner_id and t.id = s.task_id
      join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
      join task_attempts a on a.task_id = t.id and a.attempt = t.current_attempt
     where ${isWaiting(sql)} and a.state = 'running'
       and c.status in ('active', 'waiting_for_input', 'completing')
       and coalesce(c.park_after_seconds, ${otherwise}::int) > 0
       and (s.updated_at <= clock() - make_interval(secs => coalesce(c.park_after_seconds, ${otherwise}::int))
         or c.park_after_seconds is null and s.updated_at <= clock() - make_interval(secs => ${crowded})
            and t.home_daemon_id = any(${[...args.crowdedIds]}::uuid[]))
       and (a.park_asked_at is null or a.park_asked_at < clock() - make_interval(secs => ${args.patienceMs / 1000}))
       and not exists (select 1 from agent_messages m where m.task_id = t.id and m.state in ('pending', 'queued'))
       and (c.status = 'completing'
         or exists (select 1 from waits w where w.task_id = t.id and w.state = 'open')
         or exists (select 1 from questions q where q.contract_id = c.id and q.status = 'open' and not q.non_blocking)
         or s.state = 'idle' and exists (
              select 1 from tasks o where o.contract_id = c.id and not o.is_supervisor
                 and o.status not in ('done', 'failed', 'merged', 'cancelled')))
     order by s.updated_at limit ${args.limit}`;
}

const fragment = (db: Sql) => db`true`;

/** Of a supervisor `s` and its task `t`: it has a process, and waits. */
function isWaiting(sql: Sql): ReturnType<typeof fragment> {
  return sql`(t.status = 'running' and t.session = 'live'
    and s.state in ('idle', 'waiting_for_user', 'waiting_for_tasks'))`;
}

export interface PendingRow extends Pending {
  readonly since: Date;
  readonly unreadMessages: number;
  /** Of those, answers of people, and ends of tasks. */
  readonly unreadAnswers: number;
  readonly unreadEnds: number;
}

/** What may wake this supervisor. A question of another's wakes it only when its turn is over. */
export async function pendingOf(
  db: Queryable,
  args: { taskId: string },
): Promise<PendingRow | undefined> {
  const [row] = await db<PendingRow[]>`
    select s.state, s.updated_at as since,
           (select count(*)::int from waits w where w.task_id = s.task_id and w.state = 'open') as open_waits,
           (select count(*)::int from questions q where q.contract_id = s.contract_id and q.status = 'open'
               and not q.non_blocking and (q.task_id = s.task_id or s.state = 'idle')) as open_questions,
           (select count(*)::int from tasks o where o.contract_id = s.contract_id and not o.is_supervisor
               and o.status not in ('done', 'failed', 'merged', 'cancelled')) as open_tasks,
           (select true from contracts c where c.id = s.contract_id and c.status = 'completing') is true as is_completing,
           m.unread_messages, m.unread_answers, m.unread_ends
      from supervisors s
      cross join lateral (
        select count(*)::int as unread_messages, (count(*) filter (where source = 'answer'))::int as unread_answers,
               (count(*) filter (where source = 'task'))::int as unread_ends
          from agent_messages where task_id = s.task_id and state in ('pending', 'queued')) m
     where s.task_id = ${args.taskId}`;
  return row;
}

/**
 * Waits of this attempt that ended without its agent having surely read of it: also those that a request took
 * after its daemon was asked to park it, for an agent that may have been gone.
 */
export async function endedWaitsOf(
  db: Queryable,
  args: { taskId: string; attempt: number },
): Promise<WaitRow[]> {
  return db<WaitRow[]>`
    select w.* from waits w join task_attempts a on a.task_id = w.task_id and a.attempt = ${args.attempt}
     where w.task_id = ${args.taskId} and w.state in ('satisfied', 'timed_out') and w.ended_at > a.assigned_at
       and (w.seen_at is null or w.seen_at >= a.park_asked_at or w.ended_at >= a.park_asked_at)
     order by w.ended_at, w.id`;
}

/** The same for answers that did not go to it as messages. */
export async function unheardAnswers(
  db: Queryable,
  args: { taskId: string; attempt: number },
): Promise<QuestionRow[]> {
  return db<QuestionRow[]>`
    select q.* from questions q join task_attempts a on a.task_id = q.task_id and a.attempt = ${args.attempt}
     where q.task_id = ${args.taskId} and q.status = 'answered' and q.subject is null
       and (q.taken_at is null or q.taken_at >= a.park_asked_at or q.answered_at >= a.park_asked_at)
       and not exists (select 1 from agent_messages m
                        where m.task_id = q.task_id and m.source = 'answer' and m.source_id = q.id)
     order by q.answered_at, q.id`;
}

/** Fenced by the attempt being alive, and asked within `patienceMs` by nobody else. */
export async function askPark(
  tx: Tx,
  args: { taskId: string; attempt: number; patienceMs: number },
): Promise<boolean> {
  const done = await tx`
    update task_attempts set park_asked_at = clock()
     where task_id = ${args.taskId} and attempt = ${args.attempt} and state in ('assigned', 'running')
       and (park_asked_at is null or park_asked_at < clock() - make_interval(secs => ${args.patienceMs / 1000}))`;
  return done.count === 1;
}

/** Its agent is gone: no request holds for these questions any more. Locks them. */
export async function releaseQuestions(tx: Tx, args: { taskId: string }): Promise<void> {
  await tx`
    with mine as (select id from questions where task_id = ${args.taskId} and status = 'open' order by id for update)
    update questions q set held_until = null from mine where q.id = mine.id and q.status = 'open'`;
}
