/**
 * Columns that every table shares: a time-sortable id, the owner, moments by the database's clock.
 *
 * Law: every row has an owner, and a foreign key to another owned row carries the owner with it, so that
 * rows of two owners can never be linked.
 */
import { sql } from 'drizzle-orm';
import { bigint, customType, timestamp, uuid } from 'drizzle-orm/pg-core';

export const id = () =>
  uuid()
    .primaryKey()
    .default(sql`uuidv7()`);
export const ownerId = () => uuid().notNull();
/** A moment; the database's `clock()` unless given. */
export const moment = () => timestamp({ withTimezone: true, mode: 'date' });
export const bornAt = () =>
  moment()
    .notNull()
    .default(sql`clock()`);
/** How much may be spent, and where that stands; money in millionths of a dollar. */
export const budget = () => ({
  budgetTokens: bigint({ mode: 'number' }),
  budgetCostMicros: bigint({ mode: 'number' }),
  /** How far a person let it be passed once. */
  budgetGraceTokens: bigint({ mode: 'number' }),
  budgetGraceCostMicros: bigint({ mode: 'number' }),
  /** Since most of it is used. */
  budgetWarnedAt: moment(),
  /** Since it is used up: nothing is started until a person lets it. */
  budgetHeldAt: moment(),
});
/** A transaction's number, kept as text outside the database. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });
