/** Accounts at their usage limit, and the tasks that wait for the end of one. */
import type { Queryable, Sql, Tx } from '../client.ts';
import type { AgentLimitRow, TaskRow } from '../rows.ts';

export interface AccountKey {
  readonly ownerId: string;
  readonly agent: string;
  readonly account: string;
}

/** The latest end counts: one account has several windows. */
export async function noteLimit(
  tx: Tx,
  args: AccountKey & { until: Date; window: string | null },
): Promise<void> {
  const { ownerId, agent, account, until, window } = args;
  await tx`
    insert into agent_limits as l (owner_id, agent, account, until, "window")
    values (${ownerId}, ${agent}, ${account}, ${until}, ${window})
    on conflict (owner_id, agent, account) do update
       set until = greatest(l.until, excluded.until), told_at = clock(),
           "window" = case when excluded.until > l.until then excluded."window" else l."window" end`;
}

/** A person knows better: the account may be used again. */
export async function liftLimit(tx: Tx, args: AccountKey): Promise<void> {
  await tx`delete from agent_limits
            where owner_id = ${args.ownerId} and agent = ${args.agent} and account = ${args.account}`;
}

/** Those that still hold. */
export async function limitsOf(db: Queryable, args: { ownerId: string }): Promise<AgentLimitRow[]> {
  return db<AgentLimitRow[]>`
    select * from agent_limits where owner_id = ${args.ownerId} and until > clock() order by agent, account`;
}

/** How many of a task's newest attempts, in a row, have met a limit. */
export async function limitedInARow(
  db: Queryable,
  args: { taskId: string; attempt: number },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from task_attempts a
     where a.task_id = ${args.taskId} and a.attempt <= ${args.attempt} and a.reason like 'limited:%'
       and not exists (select 1 from task_attempts o where o.task_id = a.task_id
                          and o.attempt > a.attempt and o.attempt < ${args.attempt}
                          and (o.reason is null or o.reason not like 'limited:%'))`;
  return row?.n ?? 0;
}

/** Tasks whose limit is over and whose contract, if they have one, may work; the longest waiting first. */
export async function limitsOver(
  sql: Sql,
  args: { limit: number },
): Promise<Pick<TaskRow, 'id' | 'ownerId' | 'currentAttempt'>[]> {
  return sql<Pick<TaskRow, 'id' | 'ownerId' | 'currentAttempt'>[]>`
    select t.id, t.owner_id, t.current_attempt
      from tasks t left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where t.session = 'limited' and t.status = 'paused' and t.resume_at <= clock()
       and (c.id is null or c.status in ('created', 'active', 'waiting_for_input'))
     order by t.resume_at, t.id limit ${args.limit}`;
}
