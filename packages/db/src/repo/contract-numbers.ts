/** The numbers beside a contract that lists and attention need, for many contracts in one statement. */
import type { TaskSession } from '@makima/domain/task';
import { nothingSpent, type Spent } from '@makima/domain/usage';
import type { Queryable } from '../client.ts';
import type { ContractRow } from '../rows.ts';
import { spentOfContracts } from './usage.ts';

export interface ContractNumbers extends Spent {
  readonly taskCounts: Record<string, number>;
  /** Tasks starting or running, the supervisor included. */
  readonly working: number;
  readonly openQuestions: number;
  readonly openConfirmations: number;
  readonly supervisorSession: TaskSession;
  /** When the first task that waits for a usage limit goes on. */
  readonly limitedUntil: Date | null;
  /** Some task waits for a usage limit, none is at work, and its supervisor waits for them. */
  readonly allLimited: boolean;
  readonly lastActivityAt: Date;
  readonly lastProgressAt: Date;
}

export async function contractNumbers(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<Map<string, ContractNumbers>> {
  const [rows, spent] = await Promise.all([
    numberRows(db, args),
    spentOfContracts(db, { ownerId: args.ownerId, contractIds: args.ids }),
  ]);
  return new Map(rows.map((row) => [row.id, { ...row, ...(spent.get(row.id) ?? nothingSpent) }]));
}

function numberRows(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<(Omit<ContractNumbers, keyof Spent> & { id: string })[]> {
  return db<(Omit<ContractNumbers, keyof Spent> & { id: string })[]>`
    select c.id,
           coalesce((select jsonb_object_agg(status, n) from (
              select status, count(*) as n from tasks t where t.contract_id = c.id and not t.is_supervisor group by status) s), '{}') as task_counts,
           (select count(*)::int from tasks t where t.contract_id = c.id and t.status in ('starting', 'running')) as working,
           (select count(*)::int from questions q where q.contract_id = c.id and q.status = 'open') as open_questions,
           (select count(*)::int from confirmations f where f.contract_id = c.id and f.state = 'open') as open_confirmations,
           coalesce((select session from tasks t where t.id = c.supervisor_task_id), 'none') as supervisor_session,
           (select min(t.resume_at) from tasks t where t.contract_id = c.id and t.session = 'limited') as limited_until,
           coalesce((select s.state in ('idle', 'waiting_for_tasks') from supervisors s where s.contract_id = c.id), false)
             and exists (select 1 from tasks t where t.contract_id = c.id and t.session = 'limited')
             and not exists (select 1 from tasks t where t.contract_id = c.id and not t.is_supervisor
                                and t.status in ('starting', 'running')) as all_limited,
           a.last_activity_at, a.last_progress_at
      from contracts c join contract_activity a on a.contract_id = c.id
     where c.owner_id = ${args.ownerId} and c.id = any(${args.ids as string[]}::uuid[])`;
}

/** Contracts of an owner in one of these statuses, the newest first. */
export async function listContractRows(
  db: Queryable,
  args: { ownerId: string; status: readonly string[]; limit: number },
): Promise<ContractRow[]> {
  return db<ContractRow[]>`
    select * from contracts where owner_id = ${args.ownerId} and status = any(${[...args.status]})
     order by id desc limit ${args.limit}`;
}

/** As `isStale` of the domain says it, for contract `contracts`; asked of each by itself. */
export function isStale(db: Queryable, staleMs: number) {
  return db`status = 'active'
    and (select a.last_progress_at <= clock() - make_interval(secs => ${staleMs / 1000})
           from contract_activity a where a.contract_id = contracts.id) is true
    and (select t.session in ('parked', 'limited') from tasks t where t.id = contracts.supervisor_task_id) is not true`;
}
