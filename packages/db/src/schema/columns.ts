/**
 * Columns that every table shares: a time-sortable id, the owner, moments by the database's clock.
 *
 * Law: every row has an owner, and a foreign key to another owned row carries the owner with it, so that
 * rows of two owners can never be linked.
 */
import { sql } from 'drizzle-orm';
import { customType, timestamp, uuid } from 'drizzle-orm/pg-core';

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
/** A transaction's number, kept as text outside the database. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });
