/**
 * Rows that should have a job: what Redis must hold is derived from here, whatever Redis has lost. Each row
 * has a counter, so that its next ticket has an id of its own, and a pause that doubles, because a job may
 * just wait its turn.
 */
import type { JobName } from '@makima/contracts/jobs';
import type { Sql, Tx } from '../client.ts';
import { restsWithPerson } from './breaker.ts';
import { graceOf } from './contract-timers.ts';
import { isUncleaned } from './operations.ts';

export interface DueJob {
  readonly queue: JobName;
  readonly ownerId: string;
  /** A task, or a contract for the jobs about contracts. */
  readonly entityId: string;
  readonly fence: number;
  /** Number of this ticket, from 1. */
  readonly count: number;
}

export interface DueArgs {
  /** How long a row may need a job before it counts as forgotten; 0 = at once, whatever was tried before. */
  readonly olderThanMs: number;
  /** Rows that were given a ticket after this moment are left alone. */
  readonly before: Date;
  /** Pause after the first ticket; doubles with each, five times at most. */
  readonly spacingMs: number;
  /** Grace of contracts that complete. */
  readonly graceMs: number;
  readonly limit: number;
}

const restedMinMs = 60_000;

/** Counts a ticket for each row that is due and has none on its way; one placement per owner is enough. */
export async function takeDueJobs(tx: Tx, args: DueArgs): Promise<DueJob[]> {
  const older = tx`make_interval(secs => ${args.olderThanMs / 1000})`;
  return tx<DueJob[]>`
    with due as (${dueRows(tx, args)}),
    ripe as (
      select d.*, row_number() over (
               partition by d.queue, case when d.queue = 'spawn-task' then d.owner_id else d.entity_id end
               order by d.since, d.entity_id) as place
        from due d
        left join requeues r on r.queue = d.queue and r.entity_id = d.entity_id and r.fence = d.fence
       where d.since <= clock() - ${older}
         and (r.last_at is null or r.last_at < ${args.before} and (${args.olderThanMs} = 0
              or case when d.once then r.last_at < d.since else r.last_at + make_interval(secs => ${args.spacingMs / 1000}) * power(2, least(r.count, 5)) < clock() end))
         and not exists (
           select 1 from outbox o
            where o.published_at is null and o.queue = d.queue and o.not_before <= clock()
              and o.payload ->> d.subject = case d.subject when 'ownerId' then d.owner_id else d.entity_id end :: text))
    insert into requeues (queue, entity_id, fence, owner_id)
    select queue, entity_id, fence, owner_id from ripe where place = 1 order by since limit ${args.limit}
    on conflict (queue, entity_id, fence) do update set count = requeues.count + 1, last_at = clock()
    returning queue, owner_id, entity_id, fence, count`;
}

/**
 * Every row that should have a job, since when, by which field of a payload its ticket is known, and whether
 * one ticket is enough until something new happens.
 */
function dueRows(tx: Tx, { graceMs, olderThanMs }: DueArgs) {
  // A contract is looked at once more when it has rested a while since something in it changed.
  const restedMs = olderThanMs === 0 ? 0 : Math.max(olderThanMs, restedMinMs);
  const mayWork = tx`(c.id is null or c.status in ('created', 'active', 'waiting_for_input'))`;
  return tx`
    select 'spawn-task' as queue, t.owner_id, t.id as entity_id, t.current_attempt as fence,
           greatest(t.pending_since, t.resume_at) as since, 'ownerId' as subject, false as once
      from tasks t left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where t.status = 'pending' and (t.resume_at is null or t.resume_at <= clock()) and ${mayWork}
       and not exists (select 1 from tasks n where n.id = any(t.needs) and n.status not in ('done', 'merged'))
    union all
    select case when t.is_supervisor then 'restore-supervisor' else 'retry-task' end, t.owner_id, t.id,
           t.current_attempt, t.pending_since, 'taskId', false
      from tasks t left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where t.status = 'interrupted' and t.session <> 'parked' and t.current_attempt > 0 and ${mayWork}
       and not ${restsWithPerson(tx)}
    union all
    select 'wake-supervisor', t.owner_id, t.id, t.current_attempt, news.since, 'taskId', false
      from tasks t left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
      join task_attempts a on a.task_id = t.id and a.attempt = t.current_attempt
      join supervisors s on s.task_id = t.id
      cross join lateral (
        select min(at) as since from (
          select w.ended_at as at from waits w
           where w.task_id = t.id and w.state in ('satisfied', 'timed_out') and w.ended_at > a.assigned_at
             and (w.seen_at is null or w.seen_at >= a.park_asked_at or w.ended_at >= a.park_asked_at)
          union all
          select q.answered_at from questions q
           where q.task_id = t.id and q.status = 'answered' and q.subject is null
             and (q.taken_at is null or q.taken_at >= a.park_asked_at or q.answered_at >= a.park_asked_at)
             and not exists (select 1 from agent_messages m
                              where m.task_id = q.task_id and m.source = 'answer' and m.source_id = q.id)
          union all
          select m.created_at from agent_messages m
           where m.task_id = t.id and m.state in ('pending', 'queued')
          union all
          select coalesce(a.ended_at, a.assigned_at)
           where not exists (select 1 from waits w where w.task_id = t.id and w.state = 'open')
             and not exists (select 1 from questions q where q.contract_id = t.contract_id and q.status = 'open'
                                and not q.non_blocking and (q.task_id = t.id or s.state = 'idle'))
             and not (s.state = 'idle' and exists (
                   select 1 from tasks o where o.contract_id = t.contract_id and not o.is_supervisor
                      and o.status not in ('done', 'failed', 'merged', 'cancelled')))) as one) as news
     where t.session = 'parked' and t.status in ('paused', 'interrupted') and news.since is not null and ${mayWork}
    union all
    select 'clean-contract', c.owner_id, c.id, c.version, coalesce(c.completion_detected_at, c.status_changed_at)
           + case when c.status = 'completing' then ${graceOf(tx, { graceMs })} else interval '0' end, 'contractId', false
      from contracts c
     where c.status = 'completing' or c.status in ('failed', 'archived') and exists (
             select 1 from tasks t where t.contract_id = c.id and (
                    t.status not in ('done', 'failed', 'merged', 'cancelled')
                 or ${isUncleaned(tx)}))
    union all
    select 'deliver-notification', w.owner_id, w.id, w.version,
           greatest(due.since, case when due.has_events then w.paused_until end), 'webhookId', false
      from webhooks w
      cross join lateral (
        select min(d.next_try_at) as since, bool_or(d.event_id is not null) as has_events
          from webhook_deliveries d
         where d.webhook_id = w.id and d.state = 'pending' and (w.status = 'active' or d.event_id is null)) as due
     where due.since <= clock() and (w.lease_until is null or w.lease_until <= clock())
    union all
    select 'evaluate-contract', c.owner_id, c.id, c.version, a.last_progress_at, 'contractId', true
      from contracts c join contract_activity a on a.contract_id = c.id
     where c.status in ('active', 'waiting_for_input')
       and a.last_progress_at <= clock() - make_interval(secs => ${restedMs / 1000})`;
}

/**
 * Another ticket for one row that is known to need one: undefined while one of its tickets waits to be queued,
 * or the last one was given not long ago. Counted with those of `takeDueJobs`.
 */
export async function takeTicket(
  tx: Tx,
  args: Omit<DueJob, 'count'> & Pick<DueArgs, 'spacingMs'>,
): Promise<number | undefined> {
  const { queue, ownerId, entityId, fence } = args;
  const [row] = await tx<{ count: number }[]>`
    insert into requeues (queue, entity_id, fence, owner_id)
    select ${queue}, ${entityId}::uuid, ${fence}::int, ${ownerId}::uuid where not exists (
      select 1 from outbox o where o.published_at is null and o.queue = ${queue}
         and o.payload ->> 'taskId' = ${entityId})
    on conflict (queue, entity_id, fence) do update set count = requeues.count + 1, last_at = clock()
     where requeues.last_at + make_interval(secs => ${args.spacingMs / 1000}) * power(2, least(requeues.count, 5)) < clock()
    returning count`;
  return row?.count;
}

/** Counters of rows that went on long ago; by then no ticket of theirs is remembered anywhere. */
export async function pruneRequeues(sql: Sql, args: { olderThanDays: number }): Promise<number> {
  const gone =
    await sql`delete from requeues where last_at < clock() - make_interval(days => ${args.olderThanDays})`;
  return gone.count;
}

/** The database's time, as the mark of a round. */
export async function requeueMark(sql: Sql): Promise<Date> {
  const [row] = await sql<{ now: Date }[]>`select clock() as now`;
  if (row === undefined) throw new Error('the database has no clock()');
  return row.now;
}
