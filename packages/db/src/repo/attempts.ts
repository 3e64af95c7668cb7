/** Attempts and their leases: one live attempt a task, given, renewed and ended under its number. */
import { isAttemptLive, type AttemptState } from '@makima/domain/task';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { AttemptRow } from '../rows.ts';

export async function insertAttempt(
  tx: Tx,
  row: {
    taskId: string;
    attempt: number;
    ownerId: string;
    daemonId: string;
    sessionEpoch: number;
    sessionId: string;
    leaseMs: number;
  },
): Promise<void> {
  await tx`
    insert into task_attempts (task_id, attempt, owner_id, daemon_id, session_epoch, session_id, lease_expires_at)
    values (${row.taskId}, ${row.attempt}, ${row.ownerId}, ${row.daemonId}, ${row.sessionEpoch}, ${row.sessionId},
            clock() + make_interval(secs => ${row.leaseMs / 1000}))`;
}

export async function findAttempt(
  db: Queryable,
  args: { taskId: string; attempt: number },
): Promise<AttemptRow | undefined> {
  const [row] = await db<
    AttemptRow[]
  >`select * from task_attempts where task_id = ${args.taskId} and attempt = ${args.attempt}`;
  return row;
}

/** The last attempt of this task whose agent was told to run: where its work stands. */
export async function lastRun(
  db: Queryable,
  args: { taskId: string },
): Promise<AttemptRow | undefined> {
  const [row] = await db<AttemptRow[]>`
    select * from task_attempts where task_id = ${args.taskId} and started_at is not null
     order by attempt desc limit 1`;
  return row;
}

export async function lockAttempt(
  tx: Tx,
  args: { taskId: string; attempt: number },
): Promise<AttemptRow | undefined> {
  const [row] = await tx<AttemptRow[]>`
    select * from task_attempts where task_id = ${args.taskId} and attempt = ${args.attempt} for no key update`;
  return row;
}

export async function attemptsOf(
  db: Queryable,
  args: { ownerId: string; taskId: string },
): Promise<AttemptRow[]> {
  return db<
    AttemptRow[]
  >`select * from task_attempts where owner_id = ${args.ownerId} and task_id = ${args.taskId} order by attempt`;
}

/** Fenced by the states it may leave; undefined when it left them before. With its end its tool keys die. */
export async function changeAttempt(
  tx: Tx,
  args: {
    taskId: string;
    attempt: number;
    from: readonly AttemptState[];
    set: Partial<
      Pick<
        AttemptRow,
        | 'state'
        | 'pid'
        | 'reason'
        | 'summary'
        | 'resumedFrom'
        | 'superseded'
        | 'startedAt'
        | 'endedAt'
      >
    >;
  },
): Promise<AttemptRow | undefined> {
  const [row] = await tx<AttemptRow[]>`
    update task_attempts set ${tx(args.set as never)}
     where task_id = ${args.taskId} and attempt = ${args.attempt} and state = any(${args.from as string[]}) returning *`;
  if (row !== undefined && !isAttemptLive(row.state as AttemptState))
    await tx`update keys set revoked_at = clock()
              where task_id = ${args.taskId} and attempt = ${args.attempt} and revoked_at is null`;
  return row;
}

/** Keep what came too late. */
export async function supersede(
  tx: Tx,
  args: { taskId: string; attempt: number; summary: string; reason: string },
): Promise<void> {
  await tx`update task_attempts set superseded = true, summary = coalesce(summary, ${args.summary}), reason = coalesce(reason, ${args.reason})
            where task_id = ${args.taskId} and attempt = ${args.attempt}`;
}

/**
 * Renew what of the given is live on this daemon; answers those renewed. With `sessionEpoch`, only for that
 * connection. Locks in the order of the tasks, as everybody does who takes several.
 */
export async function renewAttempts(
  tx: Queryable,
  args: {
    daemonId: string;
    sessionEpoch?: number;
    running: readonly { taskId: string; attempt: number }[];
    leaseMs: number;
  },
): Promise<{ taskId: string; attempt: number }[]> {
  if (args.running.length === 0) return [];
  return tx<{ taskId: string; attempt: number }[]>`
    with held as (
      select a.task_id, a.attempt from task_attempts a
        join unnest(${args.running.map((r) => r.taskId)}::uuid[], ${args.running.map((r) => r.attempt)}::int[]) as g(task_id, attempt)
          on a.task_id = g.task_id and a.attempt = g.attempt
       where a.daemon_id = ${args.daemonId} and a.state in ('assigned', 'running')
         ${
           args.sessionEpoch === undefined
             ? tx``
             : tx`and exists (select 1 from daemons d where d.id = a.daemon_id and d.session_epoch = ${args.sessionEpoch} and d.status = 'connected')`
         }
       order by a.task_id for no key update of a)
    update task_attempts a set lease_expires_at = clock() + make_interval(secs => ${args.leaseMs / 1000})
      from held where a.task_id = held.task_id and a.attempt = held.attempt
    returning a.task_id, a.attempt`;
}

/** The live attempts of these tasks, locked in the order of the tasks. */
export async function lockLiveAttempts(
  tx: Tx,
  args: { ownerId: string; taskIds: readonly string[] },
): Promise<void> {
  if (args.taskIds.length === 0) return;
  await tx`
    select 1 from task_attempts where owner_id = ${args.ownerId} and task_id = any(${args.taskIds as string[]}::uuid[])
       and state in ('assigned', 'running') order by task_id for no key update`;
}

export async function liveAttemptsOn(
  tx: Queryable,
  args: { daemonId: string },
): Promise<AttemptRow[]> {
  return tx<
    AttemptRow[]
  >`select * from task_attempts where daemon_id = ${args.daemonId} and state in ('assigned', 'running')`;
}

/** A lease that ends later than any that is given was given by a clock that was set back since: it ends in time. */
export async function boundLeases(sql: Sql | Tx, args: { leaseMs: number }): Promise<void> {
  const lease = args.leaseMs / 1_000;
  await sql`
    with held as (
      select task_id, attempt from task_attempts
       where state in ('assigned', 'running') and lease_expires_at > clock() + make_interval(secs => ${lease + 5})
       order by task_id for no key update skip locked)
    update task_attempts a set lease_expires_at = clock() + make_interval(secs => ${lease})
      from held where a.task_id = held.task_id and a.attempt = held.attempt`;
}

/** Live attempts whose lease is over by the database's clock. */
export async function expiredAttempts(
  sql: Sql | Tx,
  args: { limit: number },
): Promise<AttemptRow[]> {
  return sql<AttemptRow[]>`
    select * from task_attempts where state in ('assigned', 'running') and lease_expires_at < clock()
     order by lease_expires_at limit ${args.limit}`;
}

/** Raise the attempt's output number from `fromSeq - 1`; false when these lines are known already. */
export async function advanceOutput(
  tx: Tx,
  args: { taskId: string; attempt: number; fromSeq: number; count: number },
): Promise<boolean> {
  const done = await tx`
    update task_attempts set output_seq = ${args.fromSeq + args.count - 1}
     where task_id = ${args.taskId} and attempt = ${args.attempt} and output_seq = ${args.fromSeq - 1}`;
  return done.count === 1;
}

/** How many agents of a contract may still be alive. */
export async function liveAttemptsOfContract(
  db: Queryable,
  args: { contractId: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from task_attempts a join tasks t on t.id = a.task_id
     where t.contract_id = ${args.contractId} and a.state in ('assigned', 'running')`;
  return row?.n ?? 0;
}

/** The newest attempt of each of these tasks. */
export async function newestAttempts(
  db: Queryable,
  args: { ownerId: string; taskIds: readonly string[] },
): Promise<AttemptRow[]> {
  return db<AttemptRow[]>`
    select distinct on (task_id) * from task_attempts
     where owner_id = ${args.ownerId} and task_id = any(${args.taskIds as string[]}::uuid[])
     order by task_id, attempt desc`;
}
