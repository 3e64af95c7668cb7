/** Orders: placed once, decided once. */
import type { Queryable, Tx } from '../client.ts';
import type { OrderRow } from '../rows.ts';

export type NewOrder = Pick<
  OrderRow,
  | 'ownerId'
  | 'directiveId'
  | 'createdByTaskId'
  | 'title'
  | 'description'
  | 'priority'
  | 'orderType'
  | 'labels'
  | 'repositoryUrl'
  | 'localPath'
  | 'baseBranch'
>;

export async function insertOrder(tx: Tx, row: NewOrder): Promise<OrderRow> {
  const [made] = await tx<OrderRow[]>`insert into orders ${tx(row as never)} returning *`;
  return made as OrderRow;
}

export async function lockOrder(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<OrderRow | undefined> {
  const [row] = await tx<OrderRow[]>`
    select * from orders where owner_id = ${args.ownerId} and id = ${args.id} for update`;
  return row;
}

export type Decision =
  | { readonly status: 'accepted'; readonly contractId: string }
  | { readonly status: 'dismissed'; readonly dismissedReason: string };

/** Fenced by being open: decided once. */
export async function decideOrder(
  tx: Tx,
  args: { ownerId: string; id: string; userId: string; by: string; decision: Decision },
): Promise<OrderRow | undefined> {
  const { ownerId, id, userId, by, decision } = args;
  const set = { ...decision, decidedByUserId: userId, decidedBy: by };
  const [row] = await tx<OrderRow[]>`
    update orders set ${tx(set as never)}, decided_at = clock()
     where owner_id = ${ownerId} and id = ${id} and status = 'open' returning *`;
  return row;
}

export async function countOpenOrders(
  db: Queryable,
  args: { ownerId: string; directiveId: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from orders
     where owner_id = ${args.ownerId} and directive_id = ${args.directiveId} and status = 'open'`;
  return row?.n ?? 0;
}

/** Newest first, after an order's id. Filters that are undefined do not filter. */
export async function listOrderRows(
  db: Queryable,
  args: {
    ownerId: string;
    status?: string | undefined;
    directiveId?: string | undefined;
    orderType?: string | undefined;
    label?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<OrderRow[]> {
  return db<OrderRow[]>`
    select * from orders where owner_id = ${args.ownerId}
      ${args.status === undefined ? db`` : db`and status = ${args.status}`}
      ${args.directiveId === undefined ? db`` : db`and directive_id = ${args.directiveId}`}
      ${args.orderType === undefined ? db`` : db`and order_type = ${args.orderType}`}
      ${args.label === undefined ? db`` : db`and ${args.label} = any(labels)`}
      ${args.beforeId === undefined ? db`` : db`and id < ${args.beforeId}`}
     order by id desc limit ${args.limit}`;
}
