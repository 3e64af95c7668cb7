/**
 * The moves of contracts' branches, one after the other in each of a contract's repositories, and what carries a
 * branch to machines that do not have it: parts that were sent with its last move.
 */
import type { Queryable, Sql, Tx } from '../client.ts';
import type { BranchMoveRow, TaskRow } from '../rows.ts';

/** A repository of a contract, as its tasks name it. */
export type RepositoryPlace = Pick<TaskRow, 'repositoryUrl' | 'localPath'>;

interface OfContract {
  readonly ownerId: string;
  readonly contractId: string;
}

/** The contract's lock is held: moves are numbered one after the other. */
export async function insertBranchMove(
  tx: Tx,
  row: Omit<BranchMoveRow, 'n' | 'at'>,
): Promise<void> {
  await tx`
    insert into branch_moves (contract_id, owner_id, n, operation_id, from_sha, to_sha, changed, complete)
    select ${row.contractId}, ${row.ownerId}, coalesce(max(n), 0) + 1, ${row.operationId}, ${row.fromSha}, ${row.toSha},
           ${row.changed}::text[], ${row.complete}
      from branch_moves where owner_id = ${row.ownerId} and contract_id = ${row.contractId}`;
}

/** The newest moves in this repository, in their order. */
export async function lastMovesAt(
  db: Queryable,
  args: OfContract & { readonly place: RepositoryPlace; readonly limit: number },
): Promise<BranchMoveRow[]> {
  const rows = await db<BranchMoveRow[]>`
    select m.* from branch_moves m ${workOf(db)}
     where m.owner_id = ${args.ownerId} and m.contract_id = ${args.contractId} and ${isAt(db, args.place)}
     order by m.n desc limit ${args.limit}`;
  return rows.toReversed();
}

/** The newest move in this repository: it ends where the branch stands there. */
export async function lastMoveAt(
  db: Queryable,
  args: OfContract & { readonly place: RepositoryPlace },
): Promise<BranchMoveRow | undefined> {
  const [row] = await lastMovesAt(db, { ...args, limit: 1 });
  return row;
}

/** In which repository the branch stood at this commit, when it ever did. */
export async function placeOfMove(
  db: Queryable,
  args: OfContract & { readonly toSha: string },
): Promise<RepositoryPlace | undefined> {
  const [row] = await db<RepositoryPlace[]>`
    select t.repository_url, t.local_path from branch_moves m ${workOf(db)}
     where m.owner_id = ${args.ownerId} and m.contract_id = ${args.contractId} and m.to_sha = ${args.toSha} limit 1`;
  return row;
}

/** How many parts were sent with this move. */
export async function partsOfMove(
  db: Queryable,
  args: { ownerId: string; operationId: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from checkpoint_patches where owner_id = ${args.ownerId} and operation_id = ${args.operationId}`;
  return row?.n ?? 0;
}

/** Nobody needs the branch elsewhere any more. */
export async function dropCarried(tx: Tx, args: OfContract): Promise<void> {
  await tx`
    delete from checkpoint_patches p using branch_moves m
     where m.owner_id = ${args.ownerId} and m.contract_id = ${args.contractId}
       and p.owner_id = m.owner_id and p.operation_id = m.operation_id`;
}

/** This machine has work of the contract, or was told to do some. */
export async function worksFor(
  db: Queryable,
  args: OfContract & { readonly daemonId: string },
): Promise<boolean> {
  const { ownerId, contractId, daemonId } = args;
  const [row] = await db<{ works: boolean }[]>`
    select exists (select 1 from tasks where owner_id = ${ownerId} and contract_id = ${contractId}
                      and home_daemon_id = ${daemonId})
        or exists (select 1 from operations where owner_id = ${ownerId} and contract_id = ${contractId}
                      and daemon_id = ${daemonId} and state = 'pending') as works`;
  return row?.works ?? false;
}

const fragment = (db: Sql) => db`true`;
type Fragment = ReturnType<typeof fragment>;

function workOf(db: Queryable): Fragment {
  return db`join operations o on o.owner_id = m.owner_id and o.id = m.operation_id join tasks t on t.id = o.task_id` as Fragment;
}

function isAt(db: Queryable, { repositoryUrl, localPath }: RepositoryPlace): Fragment {
  return db`(t.repository_url is not distinct from ${repositoryUrl}
             and t.local_path is not distinct from ${localPath})` as Fragment;
}
