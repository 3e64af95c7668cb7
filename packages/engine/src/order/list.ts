/** Orders of an owner in pages, newest first. */
import type { Order } from '@makima/contracts/entity/directive';
import type { OrderStatus, OrderType } from '@makima/domain/directive';
import { listOrderRows } from '@makima/db/repo/orders';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { idCursor } from '../page-cursor.ts';
import { presentOrder } from '../present/directive.ts';
import type { Principal } from '../principal.ts';

export interface OrderListInput {
  readonly status?: OrderStatus | undefined;
  readonly directiveId?: string | undefined;
  readonly orderType?: OrderType | undefined;
  readonly label?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** @throws VALIDATION_FAILED for a cursor that is none. */
export async function listOrders(
  engine: Engine,
  caller: Principal,
  { after, limit, ...filters }: OrderListInput,
): Promise<{ items: Order[]; nextCursor: string | null }> {
  requireReader(caller, 'list orders');
  const rows = await reading(
    engine.database,
    listOrderRows(engine.database.sql, {
      ...filters,
      ownerId: caller.ownerId,
      beforeId: idCursor(after),
      limit: limit + 1,
    }),
  );
  const page = rows.slice(0, limit);
  return {
    items: page.map(presentOrder),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}
