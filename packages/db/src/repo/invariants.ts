/**
 * The search for rows that break an invariant, over all owners: one statement for each kind of
 * `@makima/domain/invariant`. What is true for a moment only, while something is under way, is left out by its age.
 *
 * Law: reads, with a limit; each row names its subject as one incident does.
 */
import type { InvariantKind } from '@makima/domain/invariant';
import type { Sql } from '../client.ts';
import { restsWithPerson } from './breaker.ts';

export interface BrokenRow {
  readonly ownerId: string;
  /** What it is wrong with: an id, or an attempt as `<task>/<number>`. */
  readonly subject: string;
  readonly contractId: string | null;
  readonly taskId: string | null;
  readonly attempt: number | null;
}

export interface BrokenSearch {
  /** What has been so for less may be under way. */
  readonly graceMs: number;
  readonly limit: number;
  /** Default: all of every history. */
  readonly histories?: Histories;
}

/**
 * What is only ever added to may be long. It is counted in whole of one part of the subjects, and of those that
 * are wrong already; of the others the newest, where something came lately.
 */
export interface Histories {
  readonly recentMs: number;
  /** From 0, below `parts`. */
  readonly part: number;
  readonly parts: number;
}

export function brokenRows(
  sql: Sql,
  kind: InvariantKind,
  { graceMs, limit, histories }: BrokenSearch,
): Promise<BrokenRow[]> {
  const before = sql`clock() - make_interval(secs => ${graceMs / 1_000})`;
  return sql<BrokenRow[]>`
    select owner_id, subject, contract_id, task_id, attempt
      from (${searches[kind](sql, before, histories)}) as broken (owner_id, subject, contract_id, task_id, attempt)
     order by owner_id, subject limit ${limit}`;
}

const fragment = (sql: Sql) => sql`true`;
type Fragment = ReturnType<typeof fragment>;
type Search = (sql: Sql, before: Fragment, histories?: Histories) => Fragment;

const ended = (sql: Sql): Fragment => sql`('done', 'failed', 'merged', 'cancelled')`;
const live = (sql: Sql): Fragment => sql`('assigned', 'running')`;
const mayWork = (sql: Sql): Fragment =>
  sql`(c.id is null or c.status in ('created', 'active', 'waiting_for_input'))`;
const asked = (sql: Sql): Fragment => sql`
  exists (select 1 from questions q where q.contract_id = c.id and q.status = 'open' and not q.non_blocking)`;

const searches: Readonly<Record<InvariantKind, Search>> = {
  task_without_attempt: (sql) => sql`
    select t.owner_id, t.id::text, t.contract_id, t.id, t.current_attempt from tasks t
     where t.status in ('starting', 'running') and not exists (
           select 1 from task_attempts a where a.task_id = t.id and a.attempt = t.current_attempt
              and a.state in ${live(sql)})`,
  attempt_superseded: (sql) => sql`
    select t.owner_id, a.task_id || '/' || a.attempt, t.contract_id, t.id, a.attempt
      from task_attempts a join tasks t on t.id = a.task_id
     where a.state in ${live(sql)} and a.attempt <> t.current_attempt`,
  attempt_at_rest: (sql) => sql`
    select t.owner_id, a.task_id || '/' || a.attempt, t.contract_id, t.id, a.attempt
      from task_attempts a join tasks t on t.id = a.task_id
     where a.state in ${live(sql)} and a.attempt = t.current_attempt and t.session in ('parked', 'limited')`,
  lease_overdue: (sql, before) => sql`
    select t.owner_id, a.task_id || '/' || a.attempt, t.contract_id, t.id, a.attempt
      from task_attempts a join tasks t on t.id = a.task_id
     where a.state in ${live(sql)} and a.lease_expires_at < ${before}`,
  epoch_differs: (sql) => sql`
    select t.owner_id, t.id::text, t.contract_id, t.id, t.current_attempt
      from supervisors s join tasks t on t.id = s.task_id where s.epoch <> t.current_attempt`,
  way_back_missing: (sql, before) => sql`
    select t.owner_id, t.id::text, t.contract_id, t.id, t.current_attempt
      from tasks t left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where t.status = 'interrupted' and t.session not in ('parked', 'limited') and t.current_attempt > 0
       and t.pending_since < ${before} and ${mayWork(sql)} and not ${restsWithPerson(sql)}`,
  sleeps_for_nothing: (sql, before) => sql`
    select t.owner_id, t.id::text, t.contract_id, t.id, t.current_attempt
      from tasks t join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
      join task_attempts a on a.task_id = t.id and a.attempt = t.current_attempt
     where t.session = 'parked' and t.status in ('paused', 'interrupted') and ${mayWork(sql)}
       and a.ended_at < ${before} and not ${asked(sql)}
       and not exists (select 1 from waits w where w.task_id = t.id and w.state = 'open')
       and not exists (select 1 from tasks o where o.contract_id = t.contract_id and not o.is_supervisor
                          and o.status not in ${ended(sql)})`,
  waits_for_nobody: (sql, before) => sql`
    select t.owner_id, t.id::text, t.contract_id, t.id, t.current_attempt
      from supervisors s join tasks t on t.id = s.task_id join contracts c on c.id = t.contract_id
     where s.state = 'waiting_for_user' and s.updated_at < ${before} and t.status = 'running'
       and c.status = 'active' and not ${asked(sql)}`,
  // What it left may be enough: then a person was told, or is asked.
  contract_leaderless: (sql, before) => sql`
    select c.owner_id, c.id::text, c.id, c.supervisor_task_id, null::int
      from contracts c join tasks t on t.id = c.supervisor_task_id
     where c.status = 'active' and t.status in ${ended(sql)}
       and greatest(t.finished_at, c.status_changed_at) < ${before}
       and not (t.status = 'done' and (c.waiting_for is not null or exists (
             select 1 from events e where e.contract_id = c.id and e.type = 'contract.ready'
                and e.data ->> 'version' = c.version::text)))`,
  contract_waits_for_nothing: (sql, before) => sql`
    select c.owner_id, c.id::text, c.id, c.supervisor_task_id, null::int from contracts c
     where c.status = 'waiting_for_input' and c.status_changed_at < ${before} and not ${asked(sql)}
       and not exists (select 1 from confirmations o where o.contract_id = c.id and o.state = 'open')`,
  question_of_the_ended: (sql, before) => sql`
    select q.owner_id, q.id::text, c.id, q.task_id, null::int
      from questions q join contracts c on c.id = q.contract_id left join tasks t on t.id = q.task_id
     where q.status = 'open' and (
           c.status in ('completed', 'failed', 'archived') and c.status_changed_at < ${before}
        or c.status in ('active', 'waiting_for_input') and q.confirmation_id is null
           and t.status in ${ended(sql)} and t.finished_at < ${before})`,
  wait_overdue: (sql, before) => sql`
    select w.owner_id, w.id::text, w.contract_id, w.task_id, null::int from waits w
     where w.state = 'open' and w.until < ${before}`,
  wait_come: (sql, before) => sql`
    select w.owner_id, w.id::text, w.contract_id, w.task_id, null::int
      from waits w cross join lateral (
           select count(*) as n, count(*) filter (where t.status in ${ended(sql)}) as over, max(t.finished_at) as at
             from tasks t where t.owner_id = w.owner_id and t.id = any(w.target_ids)) as of
     where w.state = 'open' and w.kind in ('tasks_any', 'tasks_all') and w.created_at < ${before}
       and (of.at is null or of.at < ${before})
       and case w.kind when 'tasks_any' then of.over > 0 or of.n < cardinality(w.target_ids) else of.over = of.n end`,
  wait_of_the_ended: (sql, before) => sql`
    select w.owner_id, w.id::text, w.contract_id, w.task_id, null::int from waits w join tasks t on t.id = w.task_id
     where w.state = 'open' and t.status in ${ended(sql)} and t.finished_at < ${before}`,
  work_of_the_ended: (sql, before) => sql`
    select c.owner_id, c.id::text, c.id, null::uuid, null::int from contracts c
     where c.status in ('completed', 'failed', 'archived') and c.status_changed_at < ${before} and exists (
           select 1 from tasks t where t.contract_id = c.id and t.status not in ${ended(sql)})`,
  command_not_taken: (sql, before) => sql`
    select d.owner_id, d.id::text, null::uuid, null::uuid, null::int from daemons d
     where d.status = 'connected' and d.connected_at < ${before} and exists (
           select 1 from daemon_commands m where m.daemon_id = d.id and m.acked_at is null
              and m.created_at < ${before})`,
  mail_not_sent: (sql, before) => sql`
    select distinct o.owner_id, o.queue, null::uuid, null::uuid, null::int from outbox o
     where o.published_at is null and o.not_before < ${before}`,
  guard_passed: (sql) => sql`
    select p.owner_id, p.id::text, p.contract_id, null::uuid, null::int
      from phase_changes p left join confirmations o on o.id = p.confirmation_id and o.state = 'used'
           and o.decided_by_user_id is not null and o.contract_id = p.contract_id and o.from_phase = p.from_phase
     where p.guarded and o.id is null`,
  // Counted, not compared with the last one: to tell of a gap is itself an event. Nothing is counted where nothing
  // is new: a case keeps the order that a conjunction does not.
  events_differ: (sql, _before, histories) => sql`
    select c.owner_id, c.id::text, c.id, null::uuid, null::int
      from contracts c join contract_cursors n on n.contract_id = c.id
      cross join lateral (select ${inWhole(sql, 'events_differ', { owner: sql`c.owner_id`, subject: sql`c.id::text` }, histories)} as whole) as look
      left join lateral (
        select e.seq, e.at from events e where e.contract_id = c.id order by e.seq desc limit 1) as newest on true
     where c.status not in ('completed', 'failed', 'archived')
       and case when look.whole or coalesce(newest.seq, 0) <> n.seq or newest.at > ${since(sql, histories)}
           then case when look.whole then n.seq else least(n.seq, ${newestMost}) end <> (
             select count(*) from events e where e.contract_id = c.id
                and e.seq > case when look.whole then 0 else n.seq - ${newestMost} end)
           else false end`,
  output_differs: (sql, _before, histories) => sql`
    select a.owner_id, a.task_id || '/' || a.attempt, t.contract_id, t.id, a.attempt
      from task_attempts a join tasks t on t.id = a.task_id
      cross join lateral (
        select ${inWhole(sql, 'output_differs', { owner: sql`t.owner_id`, subject: sql`a.task_id || '/' || a.attempt` }, histories)} as whole) as look
      left join lateral (
        select o.from_seq + o.count - 1 as last, o.at from task_outputs o
         where o.task_id = a.task_id and o.attempt = a.attempt order by o.from_seq desc limit 1) as newest on true
     where a.state in ${live(sql)}
       and case when look.whole or coalesce(newest.last, 0) <> a.output_seq
                  or newest.at > ${since(sql, histories)}
           then a.output_seq <> (
             select coalesce(sum(o.count), 0)
                    + case when count(*) < ${newestMost} or look.whole then 0 else min(o.from_seq) - 1 end
               from (select o.count, o.from_seq from task_outputs o
                      where o.task_id = a.task_id and o.attempt = a.attempt
                      order by o.from_seq desc
                      limit case when look.whole then null else ${newestMost}::int end) as o)
           else false end`,
};

/** So many events of a contract, or batches of an attempt's lines, count as the newest. */
const newestMost = 1_000;

/** Whether the history of this subject is counted in whole. */
function inWhole(
  sql: Sql,
  kind: InvariantKind,
  { owner, subject }: { readonly owner: Fragment; readonly subject: Fragment },
  histories: Histories | undefined,
): Fragment {
  if (histories === undefined) return sql`true`;
  return sql`(abs(hashtext(${subject})::bigint) % ${histories.parts} = ${histories.part} or exists (
    select 1 from incidents i where i.owner_id = ${owner} and i.kind = ${kind} and i.subject = ${subject}
       and i.closed_at is null))`;
}

function since(sql: Sql, histories: Histories | undefined): Fragment {
  return sql`clock() - make_interval(secs => ${(histories?.recentMs ?? 0) / 1_000})`;
}
