/**
 * Heartbeats of supervisors: the last one beside each supervisor, the history in one partition a day.
 *
 * Law: a beat waits for nobody: a supervisor that somebody else holds is left for the next beat. Moments and
 * days are the database's; whatever its clock says, the partition that is needed can be made.
 */
import type { Queryable, Sql } from '../client.ts';
import { sqlState } from '../tx.ts';

export interface HeartbeatRow {
  readonly at: Date;
  readonly epoch: number;
  readonly state: string;
  readonly phase: string;
  readonly currentActivity: string | null;
  readonly progress: number;
  readonly pendingTaskIds: readonly string[];
}

interface Beat {
  readonly taskIds: readonly string[];
  /** A supervisor that was heard of within this time is not written again. */
  readonly intervalMs: number;
}

/** Those of the tasks that are supervisors and whose beat is due; their contracts' ids. */
export async function beatSupervisors(sql: Sql, beat: Beat): Promise<string[]> {
  try {
    return await beatOnce(sql, beat);
  } catch (error) {
    // No partition holds this moment: the clock went over a day, or was moved.
    if (sqlState(error) !== '23514') throw error;
    await tendPartitions(sql, { keepMs: null });
    return beatOnce(sql, beat);
  }
}

async function beatOnce(sql: Sql, { taskIds, intervalMs }: Beat): Promise<string[]> {
  const rows = await sql<{ contractId: string }[]>`
    with due as (
      select task_id from supervisors
       where task_id = any(${taskIds as string[]}::uuid[]) and ${isDue(sql, intervalMs)}
       order by task_id for no key update skip locked),
    beat as (
      update supervisors s set last_heartbeat_at = clock() from due where s.task_id = due.task_id returning s.*),
    kept as (
      insert into supervisor_heartbeats (task_id, owner_id, contract_id, epoch, state, phase, current_activity, progress, pending_task_ids)
      select b.task_id, b.owner_id, b.contract_id, b.epoch, b.state, c.phase, b.current_activity, b.progress,
             coalesce((select array_agg(distinct target) from waits w, unnest(w.target_ids) as target
                        where w.task_id = b.task_id and w.state = 'open'), '{}')
        from beat b join contracts c on c.owner_id = b.owner_id and c.id = b.contract_id
      on conflict do nothing)
    select contract_id from beat`;
  return rows.map((row) => row.contractId);
}

/** The sign of life alone, without a history. */
export async function touchSupervisors(sql: Sql, beat: Beat): Promise<void> {
  await sql`
    with due as (
      select task_id from supervisors
       where task_id = any(${beat.taskIds as string[]}::uuid[]) and ${isDue(sql, beat.intervalMs)}
       order by task_id for no key update skip locked)
    update supervisors s set last_heartbeat_at = clock() from due where s.task_id = due.task_id`;
}

/** A beat of the future is one of a clock that was set back. */
function isDue(sql: Sql, intervalMs: number) {
  return sql`(last_heartbeat_at is null or last_heartbeat_at > clock()
              or last_heartbeat_at <= clock() - make_interval(secs => ${intervalMs / 1_000}))`;
}

/** Newest first. */
export async function heartbeatsOf(
  db: Queryable,
  args: { ownerId: string; taskId: string; limit: number; keepMs: number },
): Promise<HeartbeatRow[]> {
  return db<HeartbeatRow[]>`
    select at, epoch, state, phase, current_activity, progress, pending_task_ids from supervisor_heartbeats
     where owner_id = ${args.ownerId} and task_id = ${args.taskId}
       and at > clock() - make_interval(secs => ${args.keepMs / 1_000})
     order by at desc limit ${args.limit}`;
}

/** Makes the partitions around now; with `keepMs`, drops those that hold only what is older. Answers how many. */
export async function tendPartitions(
  db: Queryable,
  args: { keepMs: number | null },
): Promise<number> {
  const keep = args.keepMs === null ? null : args.keepMs / 1_000;
  const [row] = await db<
    { n: number }[]
  >`select tend_heartbeat_partitions(make_interval(secs => ${keep}::float8)) as n`;
  return row?.n ?? 0;
}
