/**
 * Supervisors that are not restored by themselves any more: a person was asked, and has not let them go on.
 *
 * Law: true until the answer, or whatever else shows that a person has looked since. Where contracts have no
 * status for it, this is what keeps searches from finding them again and again.
 */
import { breaker } from '@makima/domain/restoration';
import type { Queryable, Sql } from '../client.ts';

const fragment = (sql: Sql) => sql`true`;

/** Of a supervisor's task `t`, as a condition in another statement. */
export function restsWithPerson(db: Queryable): ReturnType<typeof fragment> {
  return db`exists (
    select 1 from questions b
     where b.contract_id = t.contract_id and t.is_supervisor
       and b.ask_key = ${breaker.keyPrefix} || t.current_attempt
       and b.status in ('open', 'answered') and b.response is distinct from ${breaker.resume}
       and not exists (
             select 1 from events e where e.contract_id = b.contract_id and e.at > b.asked_at
                and ${letGoOn(db)}))` as ReturnType<typeof fragment>;
}

/** Of an event `e`: a person let a blocked contract go on, or resumed its supervisor. */
export function letGoOn(db: Queryable): ReturnType<typeof fragment> {
  return db`(e.type = 'contract.status_changed' and e.data->>'from' = 'blocked' and e.data->>'to' = 'active'
             or e.type = 'supervisor.resumed')` as ReturnType<typeof fragment>;
}

export async function isWithPerson(db: Queryable, args: { taskId: string }): Promise<boolean> {
  const rows = await db`
    select 1 from tasks t where t.id = ${args.taskId} and ${restsWithPerson(db)}`;
  return rows.length > 0;
}

/** When a person last let a supervisor go on, in whichever way; null when that never was. */
export async function lastLookedAt(
  db: Queryable,
  args: { contractId: string },
): Promise<Date | null> {
  const [row] = await db<{ at: Date | null }[]>`
    select greatest(
      (select max(e.at) from events e where e.contract_id = ${args.contractId} and ${letGoOn(db)}),
      (select max(b.answered_at) from questions b
        where b.contract_id = ${args.contractId} and b.response = ${breaker.resume}
          and starts_with(b.ask_key, ${breaker.keyPrefix}))) as at`;
  return row?.at ?? null;
}
