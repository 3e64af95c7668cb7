/**
 * Endpoints that are told of events, and what became of each telling. Signed as Standard Webhooks asks
 * (webhook-id, webhook-timestamp, webhook-signature); the secret is shown once, when it is made.
 */
import { z } from 'zod';
import { deliveryStates, webhookKinds, webhookStatuses } from '@makima/domain/webhook';
import { zId, zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';
import { eventTypes, zEvent } from './event.ts';

/** Types of events, or `*` for every one that there is and will be. */
export const zEventChoice = z.enum(['*', ...eventTypes]);

export const zWebhook = z.object({
  id: zId,
  kind: z.enum(webhookKinds),
  name: z.string(),
  url: z.string(),
  /** Of ntfy. */
  topic: z.string().nullable(),
  eventTypes: z.array(z.string()),
  /** Only events of these contracts; empty: of all, and those of none. */
  contractIds: z.array(zId),
  status: z.enum(webhookStatuses),
  statusReason: z.string().nullable(),
  statusChangedAt: zTime,
  /** Tries in a row that went badly, and since when. */
  failures: z.int(),
  failingSince: zTime.nullable(),
  /** It is left alone until then, because it fails. */
  pausedUntil: zTime.nullable(),
  lastDeliveredAt: zTime.nullable(),
  /** Deliveries that wait. */
  pending: z.int(),
  /** Secrets that sign now: one, or two while a rotation goes on. Never the secrets themselves. */
  secrets: z.array(z.object({ createdAt: zTime, expiresAt: zTime.nullable() })),
  version: z.int(),
  createdAt: zTime,
});
export type Webhook = z.infer<typeof zWebhook>;

const url = z.url({ protocol: /^https?$/ }).max(2_000);
const choices = z.array(zEventChoice).min(1).max(100);
const contractIds = z.array(zId).max(100);
const name = z.string().trim().min(1).max(wireLimits.nameChars);

export const zWebhookInput = z.strictObject({
  kind: z.enum(webhookKinds).default('webhook'),
  /** Default: the host. */
  name: name.optional(),
  /** Where to POST; of ntfy, the server. */
  url,
  /** Of ntfy. */
  topic: z
    .string()
    .regex(/^[-_A-Za-z0-9]{1,64}$/)
    .optional(),
  /** Of ntfy, when its server asks for one. */
  token: z.string().min(1).max(1_000).optional(),
  /** Default: what needs a person. */
  eventTypes: choices.optional(),
  contractIds: contractIds.default([]),
});
export type WebhookInput = z.infer<typeof zWebhookInput>;

export const zWebhookPatch = z.strictObject({
  name: name.optional(),
  url: url.optional(),
  eventTypes: choices.optional(),
  contractIds: contractIds.optional(),
  /** True brings back what was disabled or set aside: from then on it is told of what comes. */
  enabled: z.boolean().optional(),
  expectedVersion: z.int().optional(),
});
export type WebhookPatch = z.infer<typeof zWebhookPatch>;

export const zWebhookWithSecret = z.object({
  webhook: zWebhook,
  /** Shown this once; null where nothing is signed (ntfy). */
  secret: z.string().nullable(),
});

export const zDelivery = z.object({
  id: zId,
  webhookId: zId,
  /** The same over all tries and replays: what `webhook-id` carries. */
  messageId: z.string(),
  /** Null for a test. */
  eventId: z.string().nullable(),
  eventType: z.string(),
  contractId: zId.nullable(),
  state: z.enum(deliveryStates),
  /** Since it was last asked for. */
  tries: z.int(),
  /** In all. */
  attempts: z.int(),
  nextTryAt: zTime.nullable(),
  createdAt: zTime,
  finishedAt: zTime.nullable(),
  /** Of the newest try. */
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  lastDurationMs: z.int().nullable(),
});
export type Delivery = z.infer<typeof zDelivery>;

export const zDeliveryDetail = zDelivery.extend({
  url: z.string(),
  /** What was sent. */
  body: z.string(),
  tried: z.array(
    z.object({
      attempt: z.int(),
      startedAt: zTime,
      /** Null: under way, or whoever made it did not live to tell. */
      endedAt: zTime.nullable(),
      durationMs: z.int().nullable(),
      status: z.int().nullable(),
      /** The first bytes of the answer. */
      answer: z.string().nullable(),
      error: z.string().nullable(),
    }),
  ),
});
export type DeliveryDetail = z.infer<typeof zDeliveryDetail>;

/** What a webhook's body holds. `data` of a test names the webhook. */
export const zWebhookBody = z.object({
  type: z.string(),
  timestamp: zTime,
  data: z.union([zEvent, z.object({ webhookId: zId, message: z.string() })]),
});
