/** Webhooks and deliveries as owners see them: never a secret. */
import type { Delivery, DeliveryDetail, Webhook } from '@makima/contracts/entity/webhook';
import type { DeliveryListRow } from '@makima/db/repo/deliveries';
import type { WebhookInFull } from '@makima/db/repo/webhooks';
import type { DeliveryAttemptRow, DeliveryRow } from '@makima/db/rows';

const time = (at: Date | null): string | null => at?.toISOString() ?? null;

export function presentWebhook(row: WebhookInFull): Webhook {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    url: row.url,
    topic: row.topic,
    eventTypes: row.eventTypes,
    contractIds: row.contractIds,
    status: row.status,
    statusReason: row.statusReason,
    statusChangedAt: row.statusChangedAt.toISOString(),
    failures: row.failures,
    failingSince: time(row.failingSince),
    pausedUntil: time(row.pausedUntil),
    lastDeliveredAt: time(row.lastDeliveredAt),
    pending: row.pending,
    secrets: row.secrets.map(({ createdAt, expiresAt }) => ({
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    })),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
  };
}

/** What `webhook-id` carries: the same over all tries and replays. */
export function messageIdOf(delivery: Pick<DeliveryRow, 'id'>): string {
  return `msg_${delivery.id.replaceAll('-', '')}`;
}

export function presentDelivery(row: DeliveryListRow): Delivery {
  return {
    id: row.id,
    webhookId: row.webhookId,
    messageId: messageIdOf(row),
    eventId: row.eventId === null ? null : String(row.eventId),
    eventType: row.eventType,
    contractId: row.contractId,
    state: row.state,
    tries: row.tries,
    attempts: row.attempts,
    nextTryAt: row.state === 'pending' ? row.nextTryAt.toISOString() : null,
    createdAt: row.createdAt.toISOString(),
    finishedAt: time(row.finishedAt),
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    lastDurationMs: row.lastDurationMs,
  };
}

export function presentDeliveryDetail(
  row: DeliveryListRow,
  tried: readonly DeliveryAttemptRow[],
  url: string,
): DeliveryDetail {
  return {
    ...presentDelivery(row),
    url,
    body: row.body,
    tried: tried.map((one) => ({
      attempt: one.attempt,
      startedAt: one.startedAt.toISOString(),
      endedAt: time(one.endedAt),
      durationMs: one.durationMs,
      status: one.status,
      answer: one.answer,
      error: one.error,
    })),
  };
}
