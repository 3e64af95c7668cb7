/**
 * The search for contracts in which nothing moves, and for those in which something does again.
 *
 * Law: the same condition as the domain's `isStale`, which decides; here it only finds whom to ask.
 */
import type { ContractStatus } from '@makima/domain/contract';
import type { TaskSession } from '@makima/domain/task';
import type { Queryable, Sql } from '../client.ts';

export interface StaleFactsRow {
  readonly status: ContractStatus;
  readonly supervisorSession: TaskSession;
  readonly lastProgressAt: Date;
}

export interface StaleSearch {
  /** Of their incidents. */
  readonly kind: string;
  readonly thresholdMs: number;
  readonly limit: number;
}

export interface OwnedContract {
  readonly ownerId: string;
  readonly contractId: string;
}

export async function staleFactsOf(
  db: Queryable,
  args: OwnedContract,
): Promise<StaleFactsRow | undefined> {
  const [row] = await db<StaleFactsRow[]>`
    select c.status, a.last_progress_at,
           coalesce((select session from tasks t where t.id = c.supervisor_task_id), 'none') as supervisor_session
      from contracts c join contract_activity a on a.contract_id = c.id
     where c.owner_id = ${args.ownerId} and c.id = ${args.contractId}`;
  return row;
}

/** Silent for too long and without an incident. */
export async function silentContracts(sql: Sql, search: StaleSearch): Promise<OwnedContract[]> {
  return sql<OwnedContract[]>`
    select c.owner_id, c.id as contract_id
      from contracts c join contract_activity a on a.contract_id = c.id
      left join tasks t on t.id = c.supervisor_task_id
     where c.status = 'active' and a.last_progress_at <= ${threshold(sql, search)}
       and coalesce(t.session, 'none') not in ('parked', 'limited')
       and not exists (select 1 from incidents i where i.owner_id = c.owner_id and i.kind = ${search.kind}
                          and i.subject = c.id::text and i.closed_at is null)
     order by a.last_progress_at limit ${search.limit}`;
}

/** With an open incident although it moves again, rests on purpose, has ended or is no more. */
export async function livelyContracts(sql: Sql, search: StaleSearch): Promise<OwnedContract[]> {
  return sql<OwnedContract[]>`
    select i.owner_id, i.subject as contract_id
      from incidents i left join contracts c on c.owner_id = i.owner_id and c.id = i.subject::uuid
      left join contract_activity a on a.contract_id = c.id
      left join tasks t on t.id = c.supervisor_task_id
     where i.kind = ${search.kind} and i.closed_at is null
       and (c.id is null or c.status <> 'active' or t.session in ('parked', 'limited')
            or a.last_progress_at > ${threshold(sql, search)})
     limit ${search.limit}`;
}

function threshold(sql: Sql, { thresholdMs }: StaleSearch) {
  return sql`clock() - make_interval(secs => ${thresholdMs / 1000})`;
}
