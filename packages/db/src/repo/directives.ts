/** Directives: reads, the lock, and writes fenced by version. */
import type { Queryable, Tx } from '../client.ts';
import type { ContractRow, DirectiveRow, TaskRow } from '../rows.ts';

export type NewDirective = Pick<
  DirectiveRow,
  | 'ownerId'
  | 'title'
  | 'goal'
  | 'reconcileMode'
  | 'repositoryUrl'
  | 'localPath'
  | 'baseBranch'
  | 'agent'
  | 'model'
>;

export async function insertDirective(tx: Tx, row: NewDirective): Promise<DirectiveRow> {
  const [made] = await tx<DirectiveRow[]>`insert into directives ${tx(row)} returning *`;
  return made as DirectiveRow;
}

export async function findDirective(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<DirectiveRow | undefined> {
  const [row] = await db<DirectiveRow[]>`
    select * from directives where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** `update`: it will change. `share`: it must not be archived meanwhile. */
export async function lockDirective(
  tx: Tx,
  args: { ownerId: string; id: string; strength: 'update' | 'share' },
): Promise<DirectiveRow | undefined> {
  const [row] = await tx<DirectiveRow[]>`
    select * from directives where owner_id = ${args.ownerId} and id = ${args.id}
    ${args.strength === 'update' ? tx`for no key update` : tx`for share`}`;
  return row;
}

/** Fenced by version; makes the next one. */
export async function changeDirective(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    version: number;
    set: Partial<Omit<NewDirective, 'ownerId'> & Pick<DirectiveRow, 'status'>>;
  },
): Promise<DirectiveRow | undefined> {
  const [row] = await tx<DirectiveRow[]>`
    update directives set ${tx({ ...args.set, version: args.version + 1 } as never)}, updated_at = clock()
     where owner_id = ${args.ownerId} and id = ${args.id} and version = ${args.version} returning *`;
  return row;
}

export interface DirectiveNumbers {
  readonly openOrders: number;
  readonly openTasks: number;
}

/** Of its own agents; those of contracts that were ordered for it are not among them. */
export async function directiveNumbers(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<Map<string, DirectiveNumbers>> {
  const rows = await db<(DirectiveNumbers & { id: string })[]>`
    select d.id,
           (select count(*)::int from orders o where o.directive_id = d.id and o.status = 'open') as open_orders,
           (select count(*)::int from tasks t where t.directive_id = d.id and t.contract_id is null
               and t.status not in ('done', 'failed', 'merged', 'cancelled')) as open_tasks
      from directives d where d.owner_id = ${args.ownerId} and d.id = any(${args.ids as string[]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** Newest first, after a directive's id. */
export async function listDirectiveRows(
  db: Queryable,
  args: {
    ownerId: string;
    status?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<DirectiveRow[]> {
  return db<DirectiveRow[]>`
    select * from directives where owner_id = ${args.ownerId}
      ${args.status === undefined ? db`` : db`and status = ${args.status}`}
      ${args.beforeId === undefined ? db`` : db`and id < ${args.beforeId}`}
     order by id desc limit ${args.limit}`;
}

/** Its own agents' tasks, newest first. */
export async function tasksOfDirective(
  db: Queryable,
  args: { ownerId: string; directiveId: string; limit: number },
): Promise<TaskRow[]> {
  return db<TaskRow[]>`
    select * from tasks where owner_id = ${args.ownerId} and directive_id = ${args.directiveId} and contract_id is null
     order by id desc limit ${args.limit}`;
}

/** What was ordered for it and accepted, newest first. */
export async function contractsOfDirective(
  db: Queryable,
  args: { ownerId: string; directiveId: string; limit: number },
): Promise<ContractRow[]> {
  return db<ContractRow[]>`
    select * from contracts where owner_id = ${args.ownerId} and directive_id = ${args.directiveId}
     order by id desc limit ${args.limit}`;
}
