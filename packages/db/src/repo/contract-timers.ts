/** The search for contracts for which a time has come. */
import type { Queryable, Sql } from '../client.ts';

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
