/** Supervisors: condition, restorations, and the search for those without a live lease. */
import type { ContractStatus } from '@makima/domain/contract';
import type { SupervisorState } from '@makima/domain/supervisor';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { RestorationRow, SupervisorRow } from '../rows.ts';
import { restsWithPerson } from './breaker.ts';

export async function insertSupervisor(
  tx: Tx,
  row: { taskId: string; ownerId: string; contractId: string },
): Promise<void> {
  await tx`insert into supervisors ${tx(row)}`;
}

export async function findSupervisor(
  db: Queryable,
  args: { ownerId: string; taskId: string },
): Promise<SupervisorRow | undefined> {
  const [row] = await db<
    SupervisorRow[]
  >`select * from supervisors where owner_id = ${args.ownerId} and task_id = ${args.taskId}`;
  return row;
}

/** Locked: who looks at its state and who changes it take turns. */
/** By its task, held until the transaction ends: conditions are written one after the other. */
export async function lockSupervisor(
  tx: Tx,
  args: { ownerId: string; taskId: string },
): Promise<SupervisorRow | undefined> {
  const [row] = await tx<SupervisorRow[]>`
    select * from supervisors where owner_id = ${args.ownerId} and task_id = ${args.taskId} for no key update`;
  return row;
}

export async function lockSupervisorOf(
  tx: Tx,
  args: { ownerId: string; contractId: string },
): Promise<SupervisorRow | undefined> {
  const [row] = await tx<SupervisorRow[]>`
    select * from supervisors where owner_id = ${args.ownerId} and contract_id = ${args.contractId} for no key update`;
  return row;
}

export async function supervisorOf(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<SupervisorRow | undefined> {
  const [row] = await db<
    SupervisorRow[]
  >`select * from supervisors where owner_id = ${args.ownerId} and contract_id = ${args.contractId}`;
  return row;
}

/** A save point: state, activity and progress, from the states given; undefined when it was in another. */
export async function saveCondition(
  tx: Tx,
  args: {
    taskId: string;
    from?: readonly SupervisorState[];
    state: SupervisorState;
    activity: string | null;
    progress?: number;
    errorMessage?: string | null;
  },
): Promise<SupervisorRow | undefined> {
  const [row] = await tx<SupervisorRow[]>`
    update supervisors set previous_state = case when state <> ${args.state} then state else previous_state end,
           state = ${args.state}, current_activity = ${args.activity}, updated_at = clock()
           ${args.progress === undefined ? tx`` : tx`, progress = ${args.progress}`}
           ${args.errorMessage === undefined ? tx`` : tx`, error_message = ${args.errorMessage}`}
     where task_id = ${args.taskId}
       ${args.from === undefined ? tx`` : tx`and state = any(${args.from as string[]})`}
     returning *`;
  return row;
}

/** How far its contract has come; what it does stays as it is. */
export async function setProgress(
  tx: Tx,
  args: { taskId: string; progress: number },
): Promise<void> {
  await tx`update supervisors set progress = ${args.progress}, updated_at = clock() where task_id = ${args.taskId}`;
}

/** The epoch of a supervisor equals the attempt of its task. */
export async function setEpoch(tx: Tx, args: { taskId: string; epoch: number }): Promise<void> {
  await tx`update supervisors set epoch = ${args.epoch}, updated_at = clock() where task_id = ${args.taskId} and epoch < ${args.epoch}`;
}

/** `by` 0: it was counted before, and only what it comes from is new. Answers the count. */
export async function countRestoration(
  tx: Tx,
  args: { taskId: string; source: string; by: 0 | 1 },
): Promise<number> {
  const [row] = await tx<{ restorationCount: number }[]>`
    update supervisors set restoration_count = restoration_count + ${args.by}, last_restored_at = clock(),
           restoration_source = ${args.source}, updated_at = clock()
     where task_id = ${args.taskId} returning restoration_count`;
  return row?.restorationCount ?? 0;
}

interface NewRestoration {
  readonly taskId: string;
  readonly epoch: number;
  readonly ownerId: string;
  readonly strategy: string;
  readonly findings: readonly unknown[];
  readonly warnings: readonly string[];
  readonly noticeMessageId: string;
  readonly requestedBy: string;
}

/** One restoration per epoch: false when this epoch has its own already. */
export async function insertRestoration(tx: Tx, row: NewRestoration): Promise<boolean> {
  const made = await tx`
    insert into restorations (task_id, epoch, owner_id, strategy, findings, warnings, notice_message_id, requested_by)
    values (${row.taskId}, ${row.epoch}, ${row.ownerId}, ${row.strategy}, ${tx.json(row.findings as never)}, ${row.warnings as string[]},
            ${row.noticeMessageId}, ${row.requestedBy})
    on conflict (task_id, epoch) do nothing`;
  return made.count === 1;
}

/** Of an epoch that has not begun: a person decided otherwise. Its notice stays the same message. */
export async function rewriteRestoration(
  tx: Tx,
  row: NewRestoration,
): Promise<RestorationRow | undefined> {
  const [rewritten] = await tx<RestorationRow[]>`
    update restorations set strategy = ${row.strategy}, findings = ${tx.json(row.findings as never)},
           warnings = ${row.warnings as string[]}, requested_by = ${row.requestedBy}, at = clock()
     where task_id = ${row.taskId} and epoch = ${row.epoch} returning *`;
  return rewritten;
}

export async function restorationsOf(
  db: Queryable,
  args: { taskId: string },
): Promise<RestorationRow[]> {
  return db<
    RestorationRow[]
  >`select * from restorations where task_id = ${args.taskId} order by epoch`;
}

/** When this supervisor was restored since a moment, for the breaker. */
export async function restoredSince(
  db: Queryable,
  args: { taskId: string; since: Date },
): Promise<Date[]> {
  const rows = await db<
    { at: Date }[]
  >`select at from restorations where task_id = ${args.taskId} and at > ${args.since} order by at`;
  return rows.map((row) => row.at);
}

/** Interrupted supervisors of contracts that may work: each needs a restoration. */
export async function orphanedSupervisors(
  sql: Sql,
  args: { limit: number; olderThanMs: number },
): Promise<{ ownerId: string; taskId: string; attempt: number }[]> {
  return sql<{ ownerId: string; taskId: string; attempt: number }[]>`
    select t.owner_id, t.id as task_id, t.current_attempt as attempt
      from tasks t join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where t.is_supervisor and t.status = 'interrupted' and t.session <> 'parked' and not ${restsWithPerson(sql)}
       and c.status in ('created', 'active', 'waiting_for_input')
       and t.pending_since < clock() - make_interval(secs => ${args.olderThanMs / 1000})
     order by t.pending_since limit ${args.limit}`;
}

export interface IdleLeadRow {
  readonly taskId: string;
  readonly contractId: string;
  readonly activity: string | null;
  readonly since: Date;
}

/** Supervisors whose turn is over while nothing is under way that would wake them: no task, wait, question or message. */
export async function idleLeads(
  db: Queryable,
  args: { readonly ownerId: string; readonly contractId?: string; readonly limit: number },
): Promise<IdleLeadRow[]> {
  return db<IdleLeadRow[]>`
    select t.id as task_id, t.contract_id, s.current_activity as activity, s.updated_at as since
      from supervisors s
      join tasks t on t.owner_id = s.owner_id and t.id = s.task_id
      join contracts c on c.owner_id = t.owner_id and c.id = t.contract_id
     where s.owner_id = ${args.ownerId} and s.state = 'idle'
       ${args.contractId === undefined ? db`` : db`and c.id = ${args.contractId}`}
       and t.status = 'running' and t.session = 'live' and c.status = 'active'
       and not exists (select 1 from questions q
                        where q.owner_id = t.owner_id and q.contract_id = c.id and q.status = 'open' and not q.non_blocking)
       and not exists (select 1 from waits w where w.task_id = t.id and w.state = 'open')
       and not exists (select 1 from agent_messages m where m.task_id = t.id and m.state in ('pending', 'queued'))
       and not exists (select 1 from tasks o
                        where o.owner_id = t.owner_id and o.contract_id = c.id and not o.is_supervisor
                          and o.status in ('pending', 'starting', 'running', 'interrupted'))
     order by s.updated_at limit ${args.limit}`;
}

export interface LastHeartbeatRow {
  readonly contractId: string;
  readonly taskId: string;
  readonly state: SupervisorState;
  readonly currentActivity: string | null;
  readonly progress: number;
  readonly lastHeartbeatAt: Date;
  readonly status: ContractStatus;
}

/** The last sign of life of the supervisors of these contracts, with the contract's status. */
export async function lastHeartbeats(
  db: Queryable,
  args: { ownerId: string; contractIds: readonly string[] },
): Promise<LastHeartbeatRow[]> {
  return db<LastHeartbeatRow[]>`
    select s.contract_id, s.task_id, s.state, s.current_activity, s.progress, s.last_heartbeat_at, c.status
      from supervisors s join contracts c on c.id = s.contract_id
     where s.owner_id = ${args.ownerId} and s.contract_id = any(${args.contractIds as string[]}::uuid[])
       and s.last_heartbeat_at is not null`;
}
