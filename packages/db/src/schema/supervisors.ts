/** Supervisors: their condition, and how they came back. */
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { SupervisorState } from '@makima/domain/supervisor';
import { bornAt, moment, ownerId } from './columns.ts';
import { contracts } from './contracts.ts';
import { tasks } from './tasks.ts';

/** The condition of a contract's supervisor, saved in the transaction of what it describes. */
export const supervisors = snakeCase.table(
  'supervisors',
  {
    taskId: uuid().primaryKey(),
    ownerId: ownerId(),
    contractId: uuid().notNull(),
    epoch: integer().notNull().default(0),
    state: text().$type<SupervisorState>().notNull().default('initializing'),
    currentActivity: text(),
    progress: integer().notNull().default(0),
    errorMessage: text(),
    previousState: text().$type<SupervisorState>(),
    restorationCount: integer().notNull().default(0),
    lastRestoredAt: moment(),
    restorationSource: text(),
    lastHeartbeatAt: moment(),
    lastCheckpointId: uuid(),
    updatedAt: bornAt(),
  },
  (t) => [
    unique('supervisors_contract').on(t.contractId),
    foreignKey({
      columns: [t.ownerId, t.taskId],
      foreignColumns: [tasks.ownerId, tasks.id],
    }).onDelete('cascade'),
    foreignKey({
      columns: [t.ownerId, t.contractId],
      foreignColumns: [contracts.ownerId, contracts.id],
    }).onDelete('cascade'),
    check(
      'supervisors_state',
      sql`${t.state} in ('initializing', 'idle', 'working', 'waiting_for_user', 'waiting_for_tasks', 'blocked', 'completed', 'failed', 'interrupted')`,
    ),
    check('supervisors_progress', sql`${t.progress} between 0 and 100`),
  ],
);

/** Each restoration once per epoch: the notice's key, the findings, and what became of it. */
export const restorations = snakeCase.table(
  'restorations',
  {
    taskId: uuid().notNull(),
    epoch: integer().notNull(),
    ownerId: ownerId(),
    strategy: text().notNull(),
    findings: jsonb().$type<Record<string, unknown>[]>().notNull().default([]),
    warnings: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    noticeMessageId: uuid().notNull(),
    requestedBy: text().notNull(),
    at: bornAt(),
  },
  (t) => [
    primaryKey({ columns: [t.taskId, t.epoch] }),
    foreignKey({
      columns: [t.ownerId, t.taskId],
      foreignColumns: [tasks.ownerId, tasks.id],
    }).onDelete('cascade'),
  ],
);
