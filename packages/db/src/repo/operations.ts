/** Long git work: requested once, finished once, late results kept. */
import type { OperationError } from '@makima/contracts/socket/reports';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { OperationRow } from '../rows.ts';

export async function insertOperation(
  tx: Tx,
  row: Pick<
    OperationRow,
    'ownerId' | 'contractId' | 'taskId' | 'attempt' | 'daemonId' | 'kind' | 'requestedBy'
  > & { request: Record<string, unknown> },
): Promise<OperationRow> {
  const [made] = await tx<OperationRow[]>`
    insert into operations ${tx({ ...row, request: tx.json(row.request as never) } as never)} returning *`;
  return made as OperationRow;
}

export async function findOperation(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<OperationRow | undefined> {
  const [row] = await db<
    OperationRow[]
  >`select * from operations where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/**
 * The same work asked of the same machine in the same attempt: not over yet, or (`unseen`) over without the one
 * who asks having been shown its result.
 */
export async function sameOperation(
  tx: Tx,
  args: {
    ownerId: string;
    daemonId: string;
    taskId: string;
    attempt: number;
    kind: string;
    request: Record<string, unknown>;
    requestedBy: string;
    stand: 'pending' | 'unseen';
  },
): Promise<OperationRow | undefined> {
  const [row] = await tx<OperationRow[]>`
    select * from operations where owner_id = ${args.ownerId} and task_id = ${args.taskId} and kind = ${args.kind}
       and attempt = ${args.attempt} and daemon_id = ${args.daemonId}
       and (state = 'pending' or ${args.stand === 'unseen'} and seen_at is null and requested_by = ${args.requestedBy})
       and request = ${tx.json(args.request as never)}::jsonb
     order by id desc limit 1`;
  return row;
}

/** Its result was shown to the one who ordered it. */
export async function markOperationSeen(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<void> {
  await db`update operations set seen_at = clock()
            where owner_id = ${args.ownerId} and id = ${args.id} and state <> 'pending' and seen_at is null`;
}

/** A merge of this task into this branch was made since then, and whoever ordered it was shown so. */
export async function mergeSeenSince(
  db: Queryable,
  args: { ownerId: string; taskId: string; targetBranch: string; since: Date },
): Promise<boolean> {
  const rows = await db`
    select 1 from operations where owner_id = ${args.ownerId} and task_id = ${args.taskId} and kind = 'branch.merge'
       and request->>'targetBranch' = ${args.targetBranch} and requested_at >= ${args.since}
       and state = 'done' and result->>'success' = 'true' and seen_at is not null limit 1`;
  return rows.length > 0;
}

/**
 * Where a branch of a contract stands on this machine, as its last report about it after this time says; undefined
 * when it has told of none.
 */
export async function branchHead(
  db: Queryable,
  args: {
    ownerId: string;
    contractId: string;
    daemonId: string;
    branch: string;
    after: Date | null;
  },
): Promise<string | undefined> {
  const { branch, after } = args;
  const [row] = await db<{ commitSha: string }[]>`
    select coalesce(result->>'commitSha', error->'details'->>'commitSha') as commit_sha from operations
     where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and daemon_id = ${args.daemonId}
       and (${after}::timestamptz is null or finished_at > ${after})
       and (state = 'done' and result->>'commitSha' is not null
            and (kind = 'branch.merge' and request->>'targetBranch' = ${branch} and result->>'success' = 'true'
                 or kind in ('branch.create', 'branch.hand_over', 'pr.open') and result->>'branch' = ${branch})
         or state = 'failed' and kind = 'pr.open' and request->>'branch' = ${branch}
            and error->'details'->>'reason' = 'branch_moved')
     order by finished_at desc, id desc limit 1`;
  return row?.commitSha;
}

/** Undefined when it is finished already, or not this daemon's. */
export async function finishOperation(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    daemonId: string;
    state: 'done' | 'failed';
    result: unknown;
    error: OperationError | null;
  },
): Promise<OperationRow | undefined> {
  const [row] = await tx<OperationRow[]>`
    update operations set state = ${args.state}, result = ${args.result === null ? null : tx.json(args.result as never)},
           error = ${args.error === null ? null : tx.json(args.error as never)}, finished_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and daemon_id = ${args.daemonId} and state = 'pending' returning *`;
  return row;
}

/** By the control plane itself: undefined when it was over already. */
export async function failOperation(
  tx: Tx,
  args: { ownerId: string; id: string; error: OperationError },
): Promise<OperationRow | undefined> {
  const [row] = await tx<OperationRow[]>`
    update operations set state = 'failed', error = ${tx.json(args.error as never)}, finished_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and state = 'pending' returning *`;
  return row;
}

/** Merges into this branch that other machines have not told of: they are over, whatever comes of them there. */
export async function failMergesElsewhere(
  tx: Tx,
  args: {
    ownerId: string;
    contractId: string;
    targetBranch: string;
    daemonId: string;
    error: OperationError;
  },
): Promise<OperationRow[]> {
  return tx<OperationRow[]>`
    update operations set state = 'failed', error = ${tx.json(args.error as never)}, finished_at = clock()
     where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and kind = 'branch.merge'
       and state = 'pending' and daemon_id <> ${args.daemonId} and request->>'targetBranch' = ${args.targetBranch}
     returning *`;
}

/** The sendings of commits that a merge waited for. */
export async function packsFor(
  db: Queryable,
  args: { ownerId: string; mergeOperationId: string },
): Promise<OperationRow[]> {
  return db<OperationRow[]>`
    select p.* from operations m join operations p on p.task_id = m.task_id and p.kind = 'task.pack'
     where m.owner_id = ${args.ownerId} and m.id = ${args.mergeOperationId}
       and p.request->>'mergeOperationId' = ${args.mergeOperationId}`;
}

/** Everything that was ordered from a machine and will never be reported. */
export async function failOperationsOf(
  tx: Tx,
  args: { ownerId: string; daemonId: string; except: readonly string[]; error: OperationError },
): Promise<OperationRow[]> {
  return tx<OperationRow[]>`
    update operations set state = 'failed', error = ${tx.json(args.error as never)}, finished_at = clock()
     where owner_id = ${args.ownerId} and daemon_id = ${args.daemonId} and state = 'pending'
       and kind <> all(${[...args.except]}) returning *`;
}

export async function pendingOperationsOf(
  db: Queryable,
  args: { contractId: string; kind: string },
): Promise<OperationRow[]> {
  return db<
    OperationRow[]
  >`select * from operations where contract_id = ${args.contractId} and kind = ${args.kind} and state = 'pending' order by id`;
}

export async function operationsOf(
  db: Queryable,
  args: { contractId: string; kind: string },
): Promise<OperationRow[]> {
  return db<
    OperationRow[]
  >`select * from operations where contract_id = ${args.contractId} and kind = ${args.kind} order by id`;
}

/** The last time that the validator of this phase was run. */
export async function lastValidation(
  db: Queryable,
  args: { ownerId: string; contractId: string; phase: string },
): Promise<OperationRow | undefined> {
  const [row] = await db<OperationRow[]>`
    select * from operations where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
       and kind = 'evidence.check' and request->>'purpose' = 'validator' and request->>'phase' = ${args.phase}
     order by id desc limit 1`;
  return row;
}

export async function operationsByIds(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<OperationRow[]> {
  return db<OperationRow[]>`
    select * from operations where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[])`;
}

export async function operationsOfTask(
  db: Queryable,
  args: { taskId: string; kind: string },
): Promise<OperationRow[]> {
  return db<
    OperationRow[]
  >`select * from operations where task_id = ${args.taskId} and kind = ${args.kind} order by id`;
}

/** Work on branches that machines still owe; one that was revoked never reports. */
export async function openBranchWork(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from operations o join daemons d on d.id = o.daemon_id and d.status <> 'revoked'
     where o.owner_id = ${args.ownerId} and o.contract_id = ${args.contractId} and o.state = 'pending'
       and o.kind = any(${[...branchWork]})`;
  return row?.n ?? 0;
}

/** What must be over before a contract's branch is delivered. */
export const branchWork = ['branch.merge', 'task.pack', 'branch.hand_over', 'pr.open'] as const;

const fragment = (db: Sql) => db`true`;

/** Of a task `t`: it has worked on a machine, which was not asked yet to keep and remove what is left there. */
export function isUncleaned(db: Queryable): ReturnType<typeof fragment> {
  return db`(t.current_attempt > 0
    and exists (select 1 from daemons d where d.id = t.home_daemon_id and d.status <> 'revoked')
    and not exists (select 1 from operations o where o.task_id = t.id and o.kind = 'workdir.clean'))` as ReturnType<
    typeof fragment
  >;
}

/** Clean-up that daemons still owe, or that was not asked of them yet; one that was revoked never reports. */
export async function openCleanups(db: Queryable, args: { contractId: string }): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select (select count(*) from tasks t where t.contract_id = ${args.contractId} and ${isUncleaned(db)})::int
           + count(*)::int as n from operations o join daemons d on d.id = o.daemon_id and d.status <> 'revoked'
     where o.contract_id = ${args.contractId} and o.kind in ('workdir.clean', 'branch.deliver') and o.state = 'pending'`;
  return row?.n ?? 0;
}

/** What one machine owes to the end of a contract. */
export interface OwedCleanup {
  readonly contractId: string;
  readonly daemonId: string;
  readonly daemonName: string;
  readonly connected: boolean;
  readonly operations: string[];
  /** Tasks whose agents have not ended. */
  readonly agents: string[];
  readonly since: Date;
}

/** By contract and machine: operations that the end waits for, and agents that have not ended. */
export async function owedCleanups(
  db: Queryable,
  args: { contractIds: readonly string[] },
): Promise<OwedCleanup[]> {
  const ids = [...args.contractIds];
  return db<OwedCleanup[]>`
    select owed.contract_id, d.id as daemon_id, d.name as daemon_name, d.status = 'connected' as connected,
           coalesce(array_agg(owed.kind order by owed.kind) filter (where owed.kind is not null), '{}') as operations,
           coalesce(array_agg(owed.task order by owed.since, owed.task) filter (where owed.kind is null), '{}') as agents,
           min(owed.since) as since
      from (select contract_id, daemon_id, kind, null as task, requested_at as since from operations
             where contract_id = any(${ids}::uuid[]) and kind = any(${['workdir.clean', 'branch.deliver', ...branchWork]}) and state = 'pending'
            union all
            select t.contract_id, a.daemon_id, null, t.name, a.assigned_at from task_attempts a join tasks t on t.id = a.task_id
             where t.contract_id = any(${ids}::uuid[]) and a.state in ('assigned', 'running')) owed
      join daemons d on d.id = owed.daemon_id and d.status <> 'revoked'
     group by owed.contract_id, d.id order by owed.contract_id, d.id`;
}
