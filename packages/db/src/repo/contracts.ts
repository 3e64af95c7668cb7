/** Contracts and their repositories: reads, locks and fenced writes. */
import type { ContractStatus, WaitingFor } from '@makima/domain/contract';
import type { Queryable, Tx } from '../client.ts';
import type { ContractRow, KeptRefRow, RepositoryRow } from '../rows.ts';

export type NewContract = Pick<
  ContractRow,
  | 'ownerId'
  | 'slug'
  | 'name'
  | 'description'
  | 'contractType'
  | 'extraDeliverables'
  | 'phase'
  | 'guardedPhases'
  | 'localOnly'
  | 'autoMergeLocal'
  | 'allowPullRequests'
  | 'permissionMode'
  | 'autoCompleteEnabled'
  | 'priority'
  | 'parkAfterSeconds'
  | 'onLimit'
  | 'agent'
  | 'model'
  | 'supervisorPlan'
> &
  Partial<Pick<ContractRow, 'directiveId' | 'budgetTokens' | 'budgetCostMicros'>>;

/** Insert a contract with its activity and cursor rows. */
export async function insertContract(tx: Tx, row: NewContract): Promise<ContractRow> {
  const [made] = await tx<ContractRow[]>`
    with made as (
      insert into contracts ${tx({
        ...row,
        contractType: tx.json(row.contractType as never),
        extraDeliverables: tx.json(row.extraDeliverables as never),
      } as never)} returning *
    ), activity as (insert into contract_activity (contract_id, owner_id) select id, owner_id from made)
    , cursor as (insert into contract_cursors (contract_id, owner_id) select id, owner_id from made)
    select * from made`;
  return made as ContractRow;
}

/** Slugs by the ids of contracts; those that are no more are missing. */
export async function slugsOf(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  if (args.ids.length === 0) return new Map();
  const rows = await db<{ id: string; slug: string }[]>`
    select id, slug from contracts where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row.slug]));
}

export async function slugsLike(
  tx: Tx,
  args: { ownerId: string; slug: string },
): Promise<string[]> {
  const rows = await tx<{ slug: string }[]>`
    select slug from contracts where owner_id = ${args.ownerId} and (slug = ${args.slug} or slug like ${`${args.slug.slice(0, 30)}%`})`;
  return rows.map((row) => row.slug);
}

export async function findContract(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<ContractRow | undefined> {
  const [row] = await db<
    ContractRow[]
  >`select * from contracts where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

export async function contractsByIds(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<ContractRow[]> {
  return db<
    ContractRow[]
  >`select * from contracts where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[]) order by id`;
}

/** Completing contracts whose grace is over and of which no person is asked: only their clean-up is left. */
export async function contractsAtTheirEnd(
  db: Queryable,
  args: { ownerId: string; contractId?: string; detectedBefore: Date; limit: number },
): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select id from contracts c
     where owner_id = ${args.ownerId} and status = 'completing' and completion_detected_at <= ${args.detectedBefore}
       ${args.contractId === undefined ? db`` : db`and id = ${args.contractId}`}
       and not exists (select 1 from confirmations f where f.contract_id = c.id and f.state = 'open')
     order by id limit ${args.limit}`;
  return rows.map((row) => row.id);
}

/** The contract's row, locked. `update`: it will change. `share`: it must not change meanwhile. */
export async function lockContract(
  tx: Tx,
  args: { ownerId: string; id: string; strength: 'update' | 'share' },
): Promise<ContractRow | undefined> {
  const [row] =
    args.strength === 'update'
      ? await tx<
          ContractRow[]
        >`select * from contracts where owner_id = ${args.ownerId} and id = ${args.id} for no key update`
      : await tx<
          ContractRow[]
        >`select * from contracts where owner_id = ${args.ownerId} and id = ${args.id} for share`;
  return row;
}

/** Fenced by the status it leaves; undefined when the contract is elsewhere by now. */
export async function setContractStatus(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    from: ContractStatus;
    to: ContractStatus;
    waitingFor: WaitingFor | null;
    blockedReason: string | null;
    failureReason: string | null;
    completionDetectedAt: Date | null;
  },
): Promise<ContractRow | undefined> {
  const [row] = await tx<ContractRow[]>`
    update contracts set status = ${args.to}, waiting_for = ${args.waitingFor}, blocked_reason = ${args.blockedReason},
           failure_reason = ${args.failureReason}, completion_detected_at = ${args.completionDetectedAt},
           status_changed_at = clock(), updated_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and status = ${args.from} returning *`;
  return row;
}

/** Fenced by version; makes the next one. */
export async function setContractPhase(
  tx: Tx,
  args: { ownerId: string; id: string; version: number; phase: string },
): Promise<ContractRow | undefined> {
  const [row] = await tx<ContractRow[]>`
    update contracts set phase = ${args.phase}, version = version + 1, updated_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and version = ${args.version} returning *`;
  return row;
}

export async function recordPhaseChange(
  tx: Tx,
  row: {
    ownerId: string;
    contractId: string;
    fromPhase: string;
    toPhase: string;
    version: number;
    guarded: boolean;
    confirmationId: string | null;
    byKind: string;
    byId: string | null;
  },
): Promise<void> {
  await tx`insert into phase_changes ${tx(row)}`;
}

/** When the present phase began; undefined in the first. */
export async function lastPhaseChange(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<Date | undefined> {
  const [row] = await db<{ at: Date }[]>`
    select at from phase_changes where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
     order by version desc limit 1`;
  return row?.at;
}

export async function changeContract(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    version: number;
    set: Partial<
      Pick<
        ContractRow,
        | 'name'
        | 'description'
        | 'guardedPhases'
        | 'localOnly'
        | 'autoMergeLocal'
        | 'allowPullRequests'
        | 'permissionMode'
        | 'autoCompleteEnabled'
        | 'priority'
        | 'parkAfterSeconds'
        | 'onLimit'
        | 'budgetTokens'
        | 'budgetCostMicros'
        | 'contractType'
      >
    >;
  },
): Promise<ContractRow | undefined> {
  const [row] = await tx<ContractRow[]>`
    update contracts set ${tx({ ...args.set, version: args.version + 1 } as never)}, updated_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and version = ${args.version} returning *`;
  return row;
}

/** What was shown to a person has changed: the next version. */
export async function bumpContractVersion(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<number> {
  const [row] = await tx<{ version: number }[]>`
    update contracts set version = version + 1, updated_at = clock() where owner_id = ${args.ownerId} and id = ${args.id} returning version`;
  return row?.version ?? 0;
}

export async function setSupervisorTask(
  tx: Tx,
  args: { ownerId: string; id: string; taskId: string },
): Promise<void> {
  await tx`update contracts set supervisor_task_id = ${args.taskId}, updated_at = clock()
            where owner_id = ${args.ownerId} and id = ${args.id} and supervisor_task_id is null`;
}

/** `progress`: something moved (output, tool call, event), not merely a sign of life. */
export async function touchContract(
  tx: Queryable,
  args: { contractId: string; progress: 'yes' | 'no' },
): Promise<void> {
  await tx`update contract_activity set last_activity_at = greatest(last_activity_at, clock())
           ${args.progress === 'yes' ? tx`, last_progress_at = greatest(last_progress_at, clock())` : tx``}
           where contract_id = ${args.contractId}`;
}

/** A sign of life of several, which is no progress. What somebody holds is left for the next one. */
export async function touchContracts(
  db: Queryable,
  args: { contractIds: readonly string[] },
): Promise<void> {
  await db`
    with held as (select contract_id from contract_activity where contract_id = any(${args.contractIds as string[]}::uuid[])
                   order by contract_id for no key update skip locked)
    update contract_activity a set last_activity_at = greatest(last_activity_at, clock())
      from held where a.contract_id = held.contract_id`;
}

/** When anything of it was last heard of. */
export async function lastActivityOf(db: Queryable, args: { contractId: string }): Promise<Date> {
  const [row] = await db<
    { at: Date }[]
  >`select last_activity_at as at from contract_activity where contract_id = ${args.contractId}`;
  if (row === undefined) throw new Error(`contract ${args.contractId} has no activity`);
  return row.at;
}

/** The contract with all that hangs on it; events, audit and what daemons were told stay. */
export async function deleteContractRows(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<void> {
  const { ownerId, id } = args;
  await tx`delete from checkpoint_patches p using operations o
            where o.id = p.operation_id and o.owner_id = ${ownerId} and o.contract_id = ${id}`;
  await tx`delete from operations where owner_id = ${ownerId} and contract_id = ${id}`;
  await tx`delete from kept_refs where owner_id = ${ownerId} and contract_id = ${id}`;
  await tx`delete from waits where owner_id = ${ownerId} and contract_id = ${id}`;
  await tx`delete from keys where owner_id = ${ownerId} and kind = 'tool' and contract_id = ${id}`;
  await tx`delete from questions where owner_id = ${ownerId} and contract_id = ${id}`;
  await tx`update orders set contract_id = null where owner_id = ${ownerId} and contract_id = ${id}`;
  await tx`update orders set created_by_task_id = null where owner_id = ${ownerId}
              and created_by_task_id in (select t.id from tasks t where t.owner_id = ${ownerId} and t.contract_id = ${id})`;
  await tx`delete from contracts where owner_id = ${ownerId} and id = ${id}`;
}

/** Who vouches for a repository, since when; all null when nobody does. */
export type Trust = Pick<RepositoryRow, 'trustedByUserId' | 'trustedBy' | 'trustedAt'>;

export const distrusted: Trust = { trustedByUserId: null, trustedBy: null, trustedAt: null };

export async function setTrust(
  tx: Tx,
  args: { ownerId: string; contractId: string; id: string; trust: Trust },
): Promise<RepositoryRow | undefined> {
  const [row] = await tx<RepositoryRow[]>`
    update repositories set ${tx(args.trust as never)}
     where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and id = ${args.id} returning *`;
  return row;
}

/** Does an owner vouch for this place of the contract? */
export async function isTrusted(
  db: Queryable,
  args: {
    ownerId: string;
    contractId: string;
    place: Pick<RepositoryRow, 'repositoryUrl' | 'localPath'>;
  },
): Promise<boolean> {
  const { repositoryUrl, localPath } = args.place;
  const rows = await db`
    select 1 from repositories where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
       and repository_url is not distinct from ${repositoryUrl} and local_path is not distinct from ${localPath}
       and trusted_at is not null`;
  return rows.length > 0;
}

export async function insertRepository(
  tx: Tx,
  row: Pick<
    RepositoryRow,
    'ownerId' | 'contractId' | 'name' | 'repositoryUrl' | 'localPath' | 'baseBranch' | 'isPrimary'
  > &
    Partial<Trust>,
): Promise<RepositoryRow> {
  const [made] = await tx<RepositoryRow[]>`insert into repositories ${tx(row)} returning *`;
  return made as RepositoryRow;
}

/** Primary first, then oldest. */
export async function repositoriesOf(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<RepositoryRow[]> {
  return db<RepositoryRow[]>`
    select * from repositories where owner_id = ${args.ownerId} and contract_id = ${args.contractId} order by is_primary desc, id`;
}

export async function clearPrimary(
  tx: Tx,
  args: { ownerId: string; contractId: string },
): Promise<void> {
  await tx`update repositories set is_primary = false where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and is_primary`;
}

export async function makePrimary(
  tx: Tx,
  args: { ownerId: string; contractId: string; id: string },
): Promise<void> {
  await tx`update repositories set is_primary = true
            where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and id = ${args.id}`;
}

/** How many tasks of a contract take their code from this place. */
export async function tasksUsing(
  tx: Tx,
  args: {
    ownerId: string;
    contractId: string;
    repository: Pick<RepositoryRow, 'repositoryUrl' | 'localPath'>;
  },
): Promise<number> {
  const { repositoryUrl, localPath } = args.repository;
  const [row] = await tx<{ n: number }[]>`
    select count(*)::int as n from tasks where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
       and repository_url is not distinct from ${repositoryUrl} and local_path is not distinct from ${localPath}`;
  return row?.n ?? 0;
}

export async function deleteRepository(
  tx: Tx,
  args: { ownerId: string; contractId: string; id: string },
): Promise<boolean> {
  const gone =
    await tx`delete from repositories where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and id = ${args.id}`;
  return gone.count === 1;
}

/** Whether it was not named before. */
export async function insertKeptRef(
  tx: Tx,
  row: {
    ownerId: string;
    contractId: string | null;
    taskId: string;
    daemonId: string;
    ref: string;
    why: string;
  },
): Promise<boolean> {
  const made = await tx`insert into kept_refs ${tx(row)} on conflict (daemon_id, ref) do nothing`;
  return made.count === 1;
}

export async function keptRefsOf(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<KeptRefRow[]> {
  return db<
    KeptRefRow[]
  >`select * from kept_refs where owner_id = ${args.ownerId} and contract_id = ${args.contractId} order by id`;
}
