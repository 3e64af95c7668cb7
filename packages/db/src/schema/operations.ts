/** What daemons are told, and the long git operations that they are asked for. */
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { OperationError } from '@makima/contracts/socket/reports';
import { bornAt, id, moment, ownerId } from './columns.ts';
import { daemons } from './identity.ts';

/** Long git work that a daemon does: requested once, its result kept even when it comes late. */
export const operations = snakeCase.table(
  'operations',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    taskId: uuid(),
    attempt: integer(),
    daemonId: uuid(),
    kind: text().notNull(),
    request: jsonb().$type<Record<string, unknown>>().notNull(),
    state: text().notNull().default('pending'),
    result: jsonb().$type<Record<string, unknown>>(),
    error: jsonb().$type<OperationError>(),
    requestedBy: text().notNull(),
    requestedAt: bornAt(),
    finishedAt: moment(),
    /** Somebody was shown its result; until then, asking for the same again shows it. */
    seenAt: moment(),
  },
  (t) => [
    unique('operations_owner_id').on(t.ownerId, t.id),
    check('operations_state', sql`${t.state} in ('pending', 'done', 'failed')`),
    index('operations_contract').on(t.contractId, t.kind),
    index('operations_task').on(t.taskId, t.kind),
  ],
);

/** What a daemon is told, numbered per daemon, kept until acked. */
export const daemonCommands = snakeCase.table(
  'daemon_commands',
  {
    daemonId: uuid().notNull(),
    seq: integer().notNull(),
    ownerId: ownerId(),
    kind: text().notNull(),
    taskId: uuid(),
    attempt: integer(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    createdAt: bornAt(),
    ackedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.daemonId, t.seq] }),
    foreignKey({ columns: [t.ownerId, t.daemonId], foreignColumns: [daemons.ownerId, daemons.id] }),
    index('daemon_commands_unacked')
      .on(t.daemonId, t.seq)
      .where(sql`${t.ackedAt} is null`),
  ],
);
