/** Events, outbox, idempotency keys, audit, and the installation's own facts. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Actor, EventType } from '@makima/contracts/entity/event';
import type { JobName } from '@makima/contracts/jobs';
import { bornAt, id, moment, ownerId, xid8 } from './columns.ts';

/** Facts, with a gapless number per contract, and (xid, id) as the order over all of an owner's. */
export const events = snakeCase.table(
  'events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    xid: xid8()
      .notNull()
      .default(sql`pg_current_xact_id()`),
    ownerId: ownerId(),
    contractId: uuid(),
    seq: bigint({ mode: 'number' }),
    type: text().$type<EventType>().notNull(),
    actor: jsonb().$type<Actor>().notNull(),
    taskId: uuid(),
    data: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    at: bornAt(),
  },
  (t) => [
    uniqueIndex('events_contract_seq')
      .on(t.contractId, t.seq)
      .where(sql`${t.contractId} is not null`),
    index('events_owner').on(t.ownerId, t.xid, t.id),
    // What status a contract had before an event, however many others lie between.
    index('events_status')
      .on(t.contractId, t.seq)
      .where(sql`${t.type} = 'contract.status_changed'`),
    check('events_seq', sql`(${t.contractId} is null) = (${t.seq} is null)`),
  ],
);

/** Jobs that must be queued because of what was written in the same transaction. */
export const outbox = snakeCase.table(
  'outbox',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    xid: xid8()
      .notNull()
      .default(sql`pg_current_xact_id()`),
    ownerId: ownerId(),
    queue: text().$type<JobName>().notNull(),
    jobId: text().notNull(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    notBefore: bornAt(),
    leaseUntil: moment(),
    leaseOwner: uuid(),
    attempts: integer().notNull().default(0),
    lastError: text(),
    publishedAt: moment(),
  },
  (t) => [
    index('outbox_due')
      .on(t.id)
      .where(sql`${t.publishedAt} is null`),
    index('outbox_published')
      .on(t.publishedAt)
      .where(sql`${t.publishedAt} is not null`),
  ],
);

/** How often a row that should have a job was given another ticket, and when last. */
export const requeues = snakeCase.table(
  'requeues',
  {
    queue: text().$type<JobName>().notNull(),
    entityId: uuid().notNull(),
    /** The attempt or version that the ticket speaks of. */
    fence: integer().notNull(),
    ownerId: ownerId(),
    count: integer().notNull().default(1),
    lastAt: bornAt(),
  },
  (t) => [primaryKey({ columns: [t.queue, t.entityId, t.fence] })],
);

export const idempotencyKeys = snakeCase.table(
  'idempotency_keys',
  {
    ownerId: ownerId(),
    key: text().notNull(),
    fingerprint: text().notNull(),
    response: jsonb(),
    createdAt: bornAt(),
    /** Null: kept as long as what it made (tool calls, which may be replayed after any time). */
    expiresAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.ownerId, t.key] }),
    index('idempotency_keys_expiry').on(t.expiresAt),
  ],
);

/** Privileged acts and refusals. Insert only (a trigger refuses the rest). */
export const audit = snakeCase.table(
  'audit',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    ownerId: ownerId(),
    actor: jsonb().$type<Actor>().notNull(),
    keyId: uuid(),
    action: text().notNull(),
    outcome: text().notNull(),
    targetKind: text(),
    targetId: uuid(),
    detail: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    at: bornAt(),
  },
  (t) => [
    index('audit_owner').on(t.ownerId, t.id),
    check('audit_outcome', sql`${t.outcome} in ('done', 'refused')`),
  ],
);

/**
 * Something that is wrong for a while: opened once, closed once. At most one of a kind is open for a subject;
 * when it is wrong again later, that is another.
 */
export const incidents = snakeCase.table(
  'incidents',
  {
    id: id(),
    ownerId: ownerId(),
    /** What is wrong, in a word of the code that opens it. */
    kind: text().notNull(),
    /** What it is wrong with: an id or a name. */
    subject: text().notNull(),
    openedAt: bornAt(),
    closedAt: moment(),
    detail: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [
    uniqueIndex('incidents_open')
      .on(t.ownerId, t.kind, t.subject)
      .where(sql`${t.closedAt} is null`),
    index('incidents_closed')
      .on(t.closedAt)
      .where(sql`${t.closedAt} is not null`),
    check('incidents_order', sql`${t.closedAt} is null or ${t.closedAt} >= ${t.openedAt}`),
  ],
);

/**
 * Counts that are kept in the transaction of what they count, by triggers: each change adds a row, a sweep adds
 * rows up. Nobody waits for a counter, and the sum is right at every moment.
 */
export const tallies = snakeCase.table(
  'tallies',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    ownerId: ownerId(),
    /** `contract` (status, phase), `phase_change` (from, to), `completion`, `restoration`. */
    kind: text().notNull(),
    one: text().notNull().default(''),
    two: text().notNull().default(''),
    n: integer().notNull(),
  },
  (t) => [index('tallies_owner').on(t.ownerId, t.kind)],
);

/** Facts of the installation: the timeline's epoch, when it began. */
export const meta = snakeCase.table('meta', {
  key: text().primaryKey(),
  value: text().notNull(),
  at: timestamp({ withTimezone: true, mode: 'date' })
    .notNull()
    .default(sql`clock()`),
});
