/** Orders: pieces of future work that agents of directives place and people decide. */
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  snakeCase,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { OrderPriority, OrderStatus, OrderType } from '@makima/domain/directive';
import { bornAt, id, moment, ownerId } from './columns.ts';
import { contracts } from './contracts.ts';
import { directiveKey } from './directives.ts';
import { owners, users } from './identity.ts';
import { tasks } from './tasks.ts';

export const orders = snakeCase.table(
  'orders',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    directiveId: uuid().notNull(),
    /** Who placed it; null when that task is deleted. */
    createdByTaskId: uuid(),
    title: text().notNull(),
    description: text(),
    priority: text().$type<OrderPriority>().notNull().default('medium'),
    orderType: text().$type<OrderType>().notNull(),
    labels: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    repositoryUrl: text(),
    localPath: text(),
    baseBranch: text(),
    status: text().$type<OrderStatus>().notNull().default('open'),
    /** The contract that it became; null when that contract is deleted. */
    contractId: uuid(),
    decidedByUserId: uuid(),
    decidedBy: text(),
    decidedAt: moment(),
    dismissedReason: text(),
    createdAt: bornAt(),
  },
  (t) => [
    directiveKey(t),
    foreignKey({
      columns: [t.ownerId, t.createdByTaskId],
      foreignColumns: [tasks.ownerId, tasks.id],
    }),
    foreignKey({
      columns: [t.ownerId, t.contractId],
      foreignColumns: [contracts.ownerId, contracts.id],
    }),
    foreignKey({
      columns: [t.ownerId, t.decidedByUserId],
      foreignColumns: [users.ownerId, users.id],
    }),
    unique('orders_owner_id').on(t.ownerId, t.id),
    uniqueIndex('orders_contract')
      .on(t.contractId)
      .where(sql`${t.contractId} is not null`),
    check('orders_type', sql`${t.orderType} in ('spike', 'chore')`),
    check('orders_priority', sql`${t.priority} in ('low', 'medium', 'high', 'urgent')`),
    check('orders_status', sql`${t.status} in ('open', 'accepted', 'dismissed')`),
    check('orders_accepted', sql`${t.contractId} is null or ${t.status} = 'accepted'`),
    check(
      'orders_dismissed',
      sql`(${t.status} = 'dismissed') = (${t.dismissedReason} is not null)`,
    ),
    check('orders_decided', sql`(${t.status} = 'open') = (${t.decidedByUserId} is null)`),
    check('orders_place', sql`(${t.repositoryUrl} is null) <> (${t.localPath} is null)`),
    index('orders_owner').on(t.ownerId, t.status, t.id),
    index('orders_directive').on(t.directiveId, t.status, t.id),
  ],
);
