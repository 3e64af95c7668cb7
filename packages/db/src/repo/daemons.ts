/** Daemons, their connections, the commands they are told and the journals they report from. */
import type { AgentInfo } from '@makima/contracts/socket/frames';
import type { Command } from '@makima/contracts/socket/commands';
import type { Queryable, Tx } from '../client.ts';
import type { DaemonCommandRow, DaemonRow } from '../rows.ts';

export async function findDaemon(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<DaemonRow | undefined> {
  const [row] = await db<
    DaemonRow[]
  >`select * from daemons where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

export async function lockDaemon(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<DaemonRow | undefined> {
  const [row] = await tx<
    DaemonRow[]
  >`select * from daemons where owner_id = ${args.ownerId} and id = ${args.id} for no key update`;
  return row;
}

export async function daemonsOf(db: Queryable, args: { ownerId: string }): Promise<DaemonRow[]> {
  return db<DaemonRow[]>`select * from daemons where owner_id = ${args.ownerId} order by id`;
}

/** A new connection: the next session epoch, which fences all older ones. */
export async function connectDaemonRow(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    gatewayId: string;
    bootId: string;
    host: string;
    version: string;
    maxConcurrentTasks: number;
    agents: AgentInfo[];
  },
): Promise<DaemonRow | undefined> {
  const [row] = await tx<DaemonRow[]>`
    update daemons set status = 'connected', session_epoch = session_epoch + 1, gateway_id = ${args.gatewayId},
           boot_id = ${args.bootId}, host = ${args.host}, version = ${args.version},
           max_concurrent_tasks = ${args.maxConcurrentTasks}, agents = ${tx.json(args.agents as never)},
           connected_at = clock(), last_seen_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and status <> 'revoked' returning *`;
  return row;
}

/** Only the newest connection may say that it is gone. */
export async function disconnectDaemonRow(
  tx: Tx,
  args: { id: string; sessionEpoch: number },
): Promise<boolean> {
  const done = await tx`update daemons set status = 'disconnected', gateway_id = null
                         where id = ${args.id} and session_epoch = ${args.sessionEpoch} and status = 'connected'`;
  return done.count === 1;
}

export async function seeDaemon(
  tx: Queryable,
  args: { id: string; sessionEpoch: number; freeDiskBytes: number | null },
): Promise<boolean> {
  const done =
    await tx`update daemons set last_seen_at = clock(), free_disk_bytes = coalesce(${args.freeDiskBytes}::bigint, free_disk_bytes)
                         where id = ${args.id} and session_epoch = ${args.sessionEpoch} and status = 'connected'`;
  return done.count === 1;
}

/** Connected in the rows, but silent for too long: its gateway died without a word. */
export async function silentDaemons(
  tx: Queryable,
  args: { silentMs: number },
): Promise<DaemonRow[]> {
  return tx<
    DaemonRow[]
  >`select * from daemons where status = 'connected' and last_seen_at < clock() - make_interval(secs => ${args.silentMs / 1000})`;
}

/** What each daemon runs now. */
export async function daemonLoad(
  db: Queryable,
  args: { ownerId: string },
): Promise<Map<string, { running: number; supervisors: number }>> {
  const rows = await db<{ daemonId: string; running: number; supervisors: number }[]>`
    select a.daemon_id, count(*)::int as running, (count(*) filter (where t.is_supervisor))::int as supervisors
      from task_attempts a join tasks t on t.id = a.task_id
     where a.owner_id = ${args.ownerId} and a.state in ('assigned', 'running') group by a.daemon_id`;
  return new Map(rows.map((row) => [row.daemonId, row]));
}

/** Tell a daemon something: the next number of that daemon, kept until acked. */
export async function appendCommand(
  tx: Tx,
  args: {
    ownerId: string;
    daemonId: string;
    command: Command;
    taskId: string | null;
    attempt: number | null;
  },
): Promise<number> {
  const [row] = await tx<{ seq: number }[]>`
    with next as (update daemons set command_seq = command_seq + 1 where owner_id = ${args.ownerId} and id = ${args.daemonId} returning command_seq)
    insert into daemon_commands (daemon_id, seq, owner_id, kind, task_id, attempt, payload)
    select ${args.daemonId}, command_seq, ${args.ownerId}, ${args.command.kind}, ${args.taskId}, ${args.attempt}, ${tx.json(args.command as never)}
      from next returning seq`;
  if (row === undefined) throw new Error(`daemon ${args.daemonId} does not exist`);
  return row.seq;
}

export async function unackedCommands(
  db: Queryable,
  args: { daemonId: string; afterSeq: number; limit: number },
): Promise<DaemonCommandRow[]> {
  return db<DaemonCommandRow[]>`
    select * from daemon_commands where daemon_id = ${args.daemonId} and seq > ${args.afterSeq} and acked_at is null
     order by seq limit ${args.limit}`;
}

export async function ackCommandRows(
  tx: Queryable,
  args: { daemonId: string; upToSeq: number },
): Promise<void> {
  await tx`update daemon_commands set acked_at = clock() where daemon_id = ${args.daemonId} and seq <= ${args.upToSeq} and acked_at is null`;
}

/** Up to where this journal is applied; the journal's row is made on first sight. Locks it. */
export async function lockJournal(
  tx: Tx,
  args: { ownerId: string; daemonId: string; journalId: string },
): Promise<number | undefined> {
  await tx`insert into daemon_journals (journal_id, owner_id, daemon_id) values (${args.journalId}, ${args.ownerId}, ${args.daemonId})
           on conflict (journal_id) do nothing`;
  const [row] = await tx<{ appliedSeq: number }[]>`
    select applied_seq from daemon_journals where journal_id = ${args.journalId} and daemon_id = ${args.daemonId} for no key update`;
  return row?.appliedSeq;
}

export async function advanceJournal(
  tx: Tx,
  args: { journalId: string; from: number; to: number },
): Promise<boolean> {
  const done =
    await tx`update daemon_journals set applied_seq = ${args.to} where journal_id = ${args.journalId} and applied_seq = ${args.from}`;
  return done.count === 1;
}

/** Whether the start of this attempt is still on its way to the daemon. */
export async function startPending(
  db: Queryable,
  args: { daemonId: string; taskId: string; attempt: number },
): Promise<boolean> {
  const rows = await db`
    select 1 from daemon_commands where daemon_id = ${args.daemonId} and task_id = ${args.taskId}
       and attempt = ${args.attempt} and kind = 'task.start' and acked_at is null`;
  return rows.length > 0;
}

/** The session epoch of a daemon; undefined when it is not connected. */
export async function sessionEpochOf(
  db: Queryable,
  args: { id: string },
): Promise<number | undefined> {
  const [row] = await db<{ sessionEpoch: number }[]>`
    select session_epoch from daemons where id = ${args.id} and status = 'connected'`;
  return row?.sessionEpoch;
}

/** Revoke a daemon and its keys; answers the ids of those keys, undefined when there is no such daemon. */
export async function revokeDaemonRow(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<string[] | undefined> {
  const done =
    await tx`update daemons set status = 'revoked', session_epoch = session_epoch + 1 where owner_id = ${args.ownerId} and id = ${args.id}`;
  if (done.count === 0) return undefined;
  const keys = await tx<{ id: string }[]>`
    update keys set revoked_at = coalesce(revoked_at, clock()) where owner_id = ${args.ownerId} and daemon_id = ${args.id} returning id`;
  return keys.map((key) => key.id);
}

/** One command alone; false when it was acked before. */
export async function ackCommandRow(
  tx: Tx,
  args: { daemonId: string; seq: number },
): Promise<boolean> {
  const done = await tx`
    update daemon_commands set acked_at = clock()
     where daemon_id = ${args.daemonId} and seq = ${args.seq} and acked_at is null`;
  return done.count === 1;
}
