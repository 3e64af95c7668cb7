/** The search for contracts for which a time has come. */
import type { Sql } from '../client.ts';

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
            and c.completion_detected_at < clock() - make_interval(secs => ${args.graceMs / 1000})
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
