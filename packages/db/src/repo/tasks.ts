/** Tasks: reads, locks and writes fenced by status and attempt. */
import type { TaskSession, TaskStatus } from '@makima/domain/task';
import type { Queryable, Tx } from '../client.ts';
import type { TaskRow } from '../rows.ts';

export type NewTask = Partial<TaskRow> & Pick<TaskRow, 'ownerId' | 'name' | 'plan' | 'agent'>;

export async function insertTask(tx: Tx, row: NewTask): Promise<TaskRow> {
  const [made] = await tx<TaskRow[]>`insert into tasks ${tx(row as never)} returning *`;
  return made as TaskRow;
}

export async function findTask(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<TaskRow | undefined> {
  const [row] = await db<
    TaskRow[]
  >`select * from tasks where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

export async function lockTask(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<TaskRow | undefined> {
  const [row] = await tx<
    TaskRow[]
  >`select * from tasks where owner_id = ${args.ownerId} and id = ${args.id} for no key update`;
  return row;
}

/** Several tasks, locked in the order of their ids. */
export async function lockTasks(
  tx: Tx,
  args: { ownerId: string; ids: readonly string[] },
): Promise<TaskRow[]> {
  return tx<TaskRow[]>`
    select * from tasks where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[])
     order by id for no key update`;
}

export async function tasksOfContract(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<TaskRow[]> {
  return db<
    TaskRow[]
  >`select * from tasks where owner_id = ${args.ownerId} and contract_id = ${args.contractId} order by id`;
}

export async function tasksByIds(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<TaskRow[]> {
  return db<
    TaskRow[]
  >`select * from tasks where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[]) order by id`;
}

/** Numbers that a spawn is checked against. */
export async function spawnCounts(
  tx: Tx,
  args: { contractId: string; parentTaskId: string | null },
): Promise<{ taskCount: number; openChildren: number; spawnedLastMinute: number }> {
  const [row] = await tx<{ taskCount: number; openChildren: number; spawnedLastMinute: number }[]>`
    select count(*)::int as task_count,
           (count(*) filter (where parent_task_id is not distinct from ${args.parentTaskId}::uuid
                               and status not in ('done', 'failed', 'merged', 'cancelled')))::int as open_children,
           (count(*) filter (where created_at > clock() - interval '1 minute' and not is_supervisor))::int as spawned_last_minute
      from tasks where contract_id = ${args.contractId}`;
  return row ?? { taskCount: 0, openChildren: 0, spawnedLastMinute: 0 };
}

export interface TaskChange {
  readonly status?: TaskStatus;
  readonly session?: TaskSession;
  readonly outputSummary?: string | null;
  readonly errorMessage?: string | null;
  readonly commitSha?: string | null;
  readonly baseSha?: string | null;
  readonly branch?: string | null;
  readonly worktreePath?: string | null;
  readonly retryCount?: number;
  readonly failedDaemonIds?: string[];
  readonly currentAttempt?: number;
  readonly homeDaemonId?: string | null;
  readonly targetDaemonId?: string | null;
  readonly sessionId?: string;
  readonly sessionStartedAt?: Date | null;
  readonly checkpointSha?: string | null;
  readonly resumeAt?: Date | null;
  readonly startedAt?: Date | null;
  readonly finishedAt?: Date | null;
  readonly pendingSince?: Date;
  readonly trace?: string | null;
}

/** Fenced by attempt (and status when given); undefined when the task is elsewhere by now. */
export async function changeTask(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    attempt: number;
    from?: readonly TaskStatus[];
    set: TaskChange;
  },
): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`
    update tasks set ${tx(args.set as never)}, version = version + 1
     where owner_id = ${args.ownerId} and id = ${args.id} and current_attempt = ${args.attempt}
       ${args.from === undefined ? tx`` : tx`and status = any(${args.from as string[]})`}
     returning *`;
  return row;
}

export interface PlaceableRow extends TaskRow {
  /** Where the work lies that it continues from. */
  readonly sourceDaemonId: string | null;
  /** A supervisor whose conversation is on its machine and nowhere else. */
  readonly isSessionThereOnly: boolean;
}

/**
 * Pending tasks of an owner whose contract may work, whose needs are complete, whose source (the task that they
 * continue from) has ended and whose last agent is gone, in the order of their turn. `claim` locks them and
 * leaves out what somebody else holds.
 */
export async function placeableTasks(
  tx: Queryable,
  args: {
    ownerId: string;
    contractId?: string;
    limit: number;
    offset?: number;
    lock: 'claim' | 'none';
  },
): Promise<PlaceableRow[]> {
  return tx<PlaceableRow[]>`
    select t.*, f.home_daemon_id as source_daemon_id,
           t.is_supervisor and t.session_started_at is not null
             and not exists (select 1 from transcript_lines l where l.task_id = t.id) as is_session_there_only
      from tasks t
      left join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
      left join tasks f on f.owner_id = t.owner_id and f.id = t.continue_from_task_id
     where t.owner_id = ${args.ownerId} and t.status = 'pending'
       ${args.contractId === undefined ? tx`` : tx`and t.contract_id = ${args.contractId}`}
       and (c.id is null or c.status in ('created', 'active', 'waiting_for_input'))
       and c.budget_held_at is null and t.budget_held_at is null
       and (f.id is null or f.status in ('done', 'failed', 'merged', 'cancelled'))
       and not exists (select 1 from tasks n where n.id = any(t.needs) and n.status not in ('done', 'merged'))
       and not exists (select 1 from task_attempts a where a.task_id = t.id and a.state in ('assigned', 'running'))
       ${args.lock === 'claim' ? tx`and (t.resume_at is null or t.resume_at <= clock())` : tx``}
     order by t.is_supervisor desc, t.priority desc, t.pending_since, t.id
     limit ${args.limit} offset ${args.offset ?? 0}
     ${args.lock === 'claim' ? tx`for no key update of t skip locked` : tx``}`;
}

/** Tasks that hold a place now, by contract; a contract without any is not in it. */
export async function runningByContract(
  db: Queryable,
  args: { ownerId: string; contractIds: readonly string[] },
): Promise<Map<string, number>> {
  if (args.contractIds.length === 0) return new Map();
  const rows = await db<{ contractId: string; running: number }[]>`
    select contract_id, count(*)::int as running from tasks
     where owner_id = ${args.ownerId} and status in ('starting', 'running')
       and contract_id = any(${args.contractIds as string[]}::uuid[]) group by contract_id`;
  return new Map(rows.map((row) => [row.contractId, row.running]));
}

/** Where the supervisors of these contracts last ran, by contract. */
export async function supervisorHomes(
  db: Queryable,
  args: { ownerId: string; contractIds: readonly string[] },
): Promise<Map<string, string>> {
  if (args.contractIds.length === 0) return new Map();
  const rows = await db<{ contractId: string; daemonId: string }[]>`
    select contract_id, home_daemon_id as daemon_id from tasks
     where owner_id = ${args.ownerId} and is_supervisor and home_daemon_id is not null
       and contract_id = any(${args.contractIds as string[]}::uuid[])`;
  return new Map(rows.map((row) => [row.contractId, row.daemonId]));
}

/**
 * Ended tasks of which their supervisor has not heard: it neither waited for them to the end nor was sent a
 * word of them, be it a digest. Merged and cancelled ones are its own doing, but for those that ended because
 * what they needed never came.
 */
export async function untoldTasks(
  tx: Tx,
  args: { ownerId: string; contractId: string; supervisorTaskId: string },
): Promise<TaskRow[]> {
  return tx<TaskRow[]>`
    select t.* from tasks t
     where t.owner_id = ${args.ownerId} and t.contract_id = ${args.contractId} and not t.is_supervisor
       and (t.status in ('done', 'failed')
            or (t.status = 'cancelled' and exists (select 1 from tasks n where n.owner_id = t.owner_id
                  and n.id = any(t.needs) and n.status in ('failed', 'cancelled'))))
       and not exists (select 1 from agent_messages m where m.task_id = ${args.supervisorTaskId}
                          and (m.source = 'task' and m.source_id = t.id
                            or m.source = 'wake' and m.created_at >= t.finished_at))
       and not exists (select 1 from waits w where w.task_id = ${args.supervisorTaskId}
                          and w.target_ids @> array[t.id] and w.state = 'satisfied' and w.seen_at is not null
                          and (w.kind = 'tasks_all' or t.finished_at <= w.ended_at))
     order by t.finished_at, t.id`;
}

/** Owners with pending tasks, for the sweep. */
export async function ownersWithPending(db: Queryable): Promise<string[]> {
  const rows = await db<
    { ownerId: string }[]
  >`select distinct owner_id from tasks where status = 'pending'`;
  return rows.map((row) => row.ownerId);
}

/** Pending tasks that wait for one of these. */
export async function tasksNeeding(
  tx: Tx,
  args: { ownerId: string; taskId: string },
): Promise<TaskRow[]> {
  return tx<TaskRow[]>`
    select * from tasks where owner_id = ${args.ownerId} and status = 'pending' and ${args.taskId}::uuid = any(needs) order by id`;
}
