/** Owners, people, keys, daemons and their enrolment. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  snakeCase,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { AgentInfo } from '@makima/contracts/socket/frames';
import { bornAt, id, moment, ownerId } from './columns.ts';

export const owners = snakeCase.table('owners', {
  id: id(),
  name: text().notNull(),
  createdAt: bornAt(),
});

export const users = snakeCase.table(
  'users',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    name: text().notNull(),
    role: text().notNull(),
    createdAt: bornAt(),
  },
  (t) => [
    unique('users_owner_id').on(t.ownerId, t.id),
    check('users_role', sql`${t.role} in ('owner', 'member', 'viewer')`),
  ],
);

/** Machines. `sessionEpoch` fences their connections, `commandSeq` numbers what they are told. */
export const daemons = snakeCase.table(
  'daemons',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    name: text().notNull(),
    host: text(),
    version: text(),
    status: text().notNull().default('disconnected'),
    sessionEpoch: integer().notNull().default(0),
    gatewayId: uuid(),
    bootId: uuid(),
    commandSeq: bigint({ mode: 'number' }).notNull().default(0),
    ackedCommandSeq: bigint({ mode: 'number' }).notNull().default(0),
    maxConcurrentTasks: integer().notNull().default(1),
    agents: jsonb().$type<AgentInfo[]>().notNull().default([]),
    freeDiskBytes: bigint({ mode: 'number' }),
    connectedAt: moment(),
    lastSeenAt: moment(),
    createdAt: bornAt(),
  },
  (t) => [
    unique('daemons_owner_id').on(t.ownerId, t.id),
    unique('daemons_owner_name').on(t.ownerId, t.name),
    check('daemons_status', sql`${t.status} in ('connected', 'disconnected', 'revoked')`),
    check('daemons_capacity', sql`${t.maxConcurrentTasks} > 0`),
  ],
);

/** Up to where the reports of a daemon's journal are applied. */
export const daemonJournals = snakeCase.table(
  'daemon_journals',
  {
    journalId: uuid().primaryKey(),
    ownerId: ownerId(),
    daemonId: uuid().notNull(),
    appliedSeq: bigint({ mode: 'number' }).notNull().default(0),
    createdAt: bornAt(),
  },
  (t) => [
    foreignKey({ columns: [t.ownerId, t.daemonId], foreignColumns: [daemons.ownerId, daemons.id] }),
  ],
);

/** Every credential: a person's, a daemon's, or a tool key bound to one contract, task and attempt. */
export const keys = snakeCase.table(
  'keys',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    kind: text().notNull(),
    name: text().notNull(),
    /** sha256 of the whole token, in hex: the token has 190 bits of chance, so a fast hash is right. */
    hash: text().notNull(),
    scopes: text().array().notNull(),
    userId: uuid(),
    daemonId: uuid(),
    contractId: uuid(),
    taskId: uuid(),
    attempt: integer(),
    createdAt: bornAt(),
    expiresAt: moment(),
    lastUsedAt: moment(),
    revokedAt: moment(),
  },
  (t) => [
    check('keys_kind', sql`${t.kind} in ('user', 'daemon', 'tool')`),
    check(
      'keys_binding',
      sql`case ${t.kind} when 'user' then ${t.userId} is not null and ${t.daemonId} is null and ${t.taskId} is null
        when 'daemon' then ${t.daemonId} is not null and ${t.userId} is null and ${t.taskId} is null
        else ${t.taskId} is not null and ${t.attempt} is not null and ${t.userId} is null and ${t.daemonId} is null end`,
    ),
    foreignKey({ columns: [t.ownerId, t.userId], foreignColumns: [users.ownerId, users.id] }),
    foreignKey({ columns: [t.ownerId, t.daemonId], foreignColumns: [daemons.ownerId, daemons.id] }),
    index('keys_task').on(t.taskId, t.attempt),
  ],
);

/** One-time tokens that let a machine join. */
export const enrolments = snakeCase.table('enrolments', {
  id: id(),
  ownerId: ownerId().references(() => owners.id),
  name: text(),
  hash: text().notNull(),
  createdByKeyId: uuid(),
  createdAt: bornAt(),
  expiresAt: moment().notNull(),
  usedAt: moment(),
  daemonId: uuid(),
});
