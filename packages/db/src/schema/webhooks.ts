/**
 * Endpoints that are told of events, what they are told, and how each try went.
 *
 * Law: one delivery for an endpoint and an event, whatever is repeated; the secrets stand in a table of
 * their own, which only whoever signs reads.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  snakeCase,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { DeliveryState, WebhookKind, WebhookStatus } from '@makima/domain/webhook';
import { bornAt, id, moment, ownerId, xid8 } from './columns.ts';
import { owners } from './identity.ts';

export const webhooks = snakeCase.table(
  'webhooks',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    kind: text().$type<WebhookKind>().notNull(),
    name: text().notNull(),
    url: text().notNull(),
    /** Of ntfy. */
    topic: text(),
    /** What it is told of; `*` alone: everything. */
    eventTypes: text().array().notNull(),
    /** Only events of these contracts; empty: of all, and of none. */
    contractIds: uuid()
      .array()
      .notNull()
      .default(sql`'{}'`),
    status: text().$type<WebhookStatus>().notNull().default('active'),
    statusReason: text(),
    statusChangedAt: bornAt(),
    /** Up to where the owner's events have become deliveries. */
    cursorXid: xid8().notNull(),
    cursorId: bigint({ mode: 'number' }).notNull(),
    /** Tries in a row that went badly, since when, and until when it is left alone for that. */
    failures: integer().notNull().default(0),
    failingSince: moment(),
    pausedUntil: moment(),
    lastDeliveredAt: moment(),
    /** One process at a time speaks to it. */
    leaseToken: uuid(),
    leaseUntil: moment(),
    version: integer().notNull().default(1),
    createdAt: bornAt(),
  },
  (t) => [
    unique('webhooks_owner_id').on(t.ownerId, t.id),
    check('webhooks_kind', sql`${t.kind} in ('webhook', 'ntfy')`),
    check('webhooks_topic', sql`(${t.kind} = 'ntfy') = (${t.topic} is not null)`),
    check('webhooks_status', sql`${t.status} in ('active', 'disabled', 'quarantined')`),
    check('webhooks_reason', sql`${t.status} <> 'quarantined' or ${t.statusReason} is not null`),
    check('webhooks_failing', sql`(${t.failures} = 0) = (${t.failingSince} is null)`),
  ],
);

/** A signing secret, or the token of an ntfy server. In clear: it is needed to sign. */
export const webhookSecrets = snakeCase.table(
  'webhook_secrets',
  {
    id: id(),
    ownerId: ownerId(),
    webhookId: uuid().notNull(),
    secret: text().notNull(),
    createdAt: bornAt(),
    /** After a rotation the former one signs too until then. */
    expiresAt: moment(),
  },
  (t) => [
    foreignKey({
      columns: [t.ownerId, t.webhookId],
      foreignColumns: [webhooks.ownerId, webhooks.id],
    }).onDelete('cascade'),
    uniqueIndex('webhook_secrets_present')
      .on(t.webhookId)
      .where(sql`${t.expiresAt} is null`),
  ],
);

export const webhookDeliveries = snakeCase.table(
  'webhook_deliveries',
  {
    id: id(),
    ownerId: ownerId(),
    webhookId: uuid().notNull(),
    /** Null for a test. */
    eventId: bigint({ mode: 'number' }),
    eventType: text().notNull(),
    contractId: uuid(),
    /** What is sent, byte for byte, each time. */
    body: text().notNull(),
    state: text().$type<DeliveryState>().notNull().default('pending'),
    /** Tries since it was last asked for; `attempts` counts all of them. */
    tries: integer().notNull().default(0),
    attempts: integer().notNull().default(0),
    nextTryAt: bornAt(),
    createdAt: bornAt(),
    finishedAt: moment(),
  },
  (t) => [
    foreignKey({
      columns: [t.ownerId, t.webhookId],
      foreignColumns: [webhooks.ownerId, webhooks.id],
    }).onDelete('cascade'),
    unique('webhook_deliveries_event').on(t.webhookId, t.eventId),
    check('webhook_deliveries_state', sql`${t.state} in ('pending', 'delivered', 'failed')`),
    check('webhook_deliveries_finished', sql`(${t.state} = 'pending') = (${t.finishedAt} is null)`),
    index('webhook_deliveries_due')
      .on(t.webhookId, t.nextTryAt)
      .where(sql`${t.state} = 'pending'`),
    index('webhook_deliveries_list').on(t.webhookId, t.id),
    index('webhook_deliveries_finished_at')
      .on(t.finishedAt)
      .where(sql`${t.state} <> 'pending'`),
  ],
);

/** One try. Without an end it is under way, or whoever made it died before it could say how it went. */
export const webhookAttempts = snakeCase.table(
  'webhook_attempts',
  {
    deliveryId: uuid().notNull(),
    attempt: integer().notNull(),
    ownerId: ownerId(),
    startedAt: bornAt(),
    endedAt: moment(),
    durationMs: integer(),
    /** What was answered; null when nothing was. */
    status: integer(),
    /** The first bytes of the answer. */
    answer: text(),
    error: text(),
  },
  (t) => [
    primaryKey({ columns: [t.deliveryId, t.attempt] }),
    foreignKey({ columns: [t.deliveryId], foreignColumns: [webhookDeliveries.id] }).onDelete(
      'cascade',
    ),
  ],
);
