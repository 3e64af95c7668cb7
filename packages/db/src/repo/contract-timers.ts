/** The search for contracts for which a time has come. */
import type { Queryable, Sql } from '../client.ts';
import { isUncleaned } from './operations.ts';

/**
 * Completing contracts whose grace is over, and failed or archived ones that still have open tasks or live
 * attempts; not those that were mailed within `patienceMs`.
 */
export async function contractsToClean(
  sql: Sql,
  args: { graceMs: number; patienceMs: number; limit: number },
): Promise<{ id: string; ownerId: string }[]> {
  return sql<{ id: string; ownerId: string }[]>`
    select c.id, c.owner_id from contracts c
     where (c.status = 'completing'
            and c.completion_detected_at < clock() - ${graceOf(sql, args)}
         or c.status in ('failed', 'archived') and exists (
              select 1 from tasks t where t.contract_id = c.id
                 and (t.status not in ('done', 'failed', 'merged', 'cancelled')
                   or exists (select 1 from task_attempts a
                               where a.task_id = t.id and a.state in ('assigned', 'running')))))
       and not exists (
         select 1 from outbox o where o.queue = 'clean-contract' and o.payload ->> 'contractId' = c.id::text
            and o.not_before > clock() - make_interval(secs => ${args.patienceMs / 1000}))
     order by c.status_changed_at limit ${args.limit}`;
}

/** The grace that contract `c` still gets: none once a person has confirmed the completion of this version. */
export function graceOf(db: Queryable, { graceMs }: { graceMs: number }) {
  return db`case when exists (
           select 1 from confirmations f where f.contract_id = c.id and f.kind = 'completion'
              and f.state in ('approved', 'used') and f.contract_version = c.version)
         then interval '0' else make_interval(secs => ${graceMs / 1000}) end`;
}

export type DueKind = 'unanswered' | 'archive' | 'delete';

/**
 * Contracts whose time has come, in the order of their last change: nobody answered for too long, they ended
 * long ago, or they were archived long ago and nothing of them is under way. A time that is null never comes.
 */
export async function contractsDue(
  sql: Sql,
  args: Readonly<Record<`${DueKind}Ms`, number | null>> & { limit: number },
): Promise<{ id: string; ownerId: string; kind: DueKind }[]> {
  const over = (ms: number | null) =>
    ms === null ? sql`false` : sql`c.status_changed_at <= ${cutoff(sql, ms)}`;
  const { unansweredMs, archiveMs, deleteMs, limit } = args;
  return sql<{ id: string; ownerId: string; kind: DueKind }[]>`
    select c.id, c.owner_id,
           case c.status when 'waiting_for_input' then 'unanswered' when 'archived' then 'delete' else 'archive' end as kind
      from contracts c
     where c.status = 'waiting_for_input' and ${over(unansweredMs)}
             and ${unansweredMs === null ? sql`false` : nothingAskedSince(sql, unansweredMs)}
        or c.status in ('completed', 'failed') and ${over(archiveMs)}
        or c.status = 'archived' and ${over(deleteMs)} and not exists (
             select 1 from tasks t where t.contract_id = c.id
                and (t.status not in ('done', 'failed', 'merged', 'cancelled') or ${isUncleaned(sql)}
                  or exists (select 1 from task_attempts a where a.task_id = t.id and a.state in ('assigned', 'running'))))
             and not exists (
             select 1 from operations o join daemons d on d.id = o.daemon_id and d.status <> 'revoked'
              where o.contract_id = c.id and o.kind in ('workdir.clean', 'branch.deliver') and o.state = 'pending')
     order by c.status_changed_at limit ${limit}`;
}

/** Whether contract `c`, which waits for a person, has been asked nothing for so long. */
export async function isUnanswered(
  db: Queryable,
  args: { contractId: string; unansweredMs: number },
): Promise<boolean> {
  const rows = await db`
    select 1 from contracts c where c.id = ${args.contractId} and c.status = 'waiting_for_input'
       and c.status_changed_at <= ${cutoff(db, args.unansweredMs)} and ${nothingAskedSince(db, args.unansweredMs)}`;
  return rows.length > 0;
}

function nothingAskedSince(db: Queryable, ms: number) {
  return db`not exists (
    select 1 from questions q where q.contract_id = c.id and q.status = 'open' and not q.non_blocking
       and q.asked_at > ${cutoff(db, ms)})`;
}

function cutoff(db: Queryable, ms: number) {
  return db`clock() - make_interval(secs => ${ms / 1000})`;
}
