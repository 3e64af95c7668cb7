/**
 * The way of deliveries out of the house, in three steps around the sending itself: claim what is due (and
 * write down that it is tried), record how it went, let go. Whoever sends calls them in this order.
 *
 * Law: one process at a time speaks to an endpoint. A process that dies between sending and recording leaves
 * a try without an end, and the delivery is due again when its lease is over: at least once, under one id.
 */
import { MakimaError } from '@makima/domain/error';
import {
  deliveryTriesMax,
  endpointPauseMs,
  isDead,
  retryPauseMs,
  tryVerdict,
} from '@makima/domain/webhook';
import {
  beginTries,
  endTry,
  finishDelivery,
  leaseHeld,
  leaseWebhook,
  lockTried,
  noteHealth,
  releaseLease,
  tryAgain,
  type TryEnd,
} from '@makima/db/repo/deliveries';
import { liveSecrets, setWebhookStatus } from '@makima/db/repo/webhooks';
import type { DeliveryRow, WebhookRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import { messageIdOf } from '../present/webhook.ts';
import type { System } from '../principal.ts';
import { mailDue } from './due.ts';

/** Longer than a round of tries may take. */
export const webhookLeaseMs = 60_000;

export interface Outgoing {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly messageId: string;
  readonly body: string;
}

export interface Claim {
  readonly kind: WebhookRow['kind'];
  readonly url: string;
  /** Those that sign now, the newest first; for ntfy its token, if any. Never logged. */
  readonly secrets: readonly string[];
  /** The time that is signed. */
  readonly at: Date;
  readonly deliveries: readonly Outgoing[];
}

export interface Holder {
  readonly webhookId: string;
  /** Whoever claims names itself by a token of its own. */
  readonly token: string;
}

/** Null when another process speaks to it, or it is gone. */
export async function claimDeliveries(
  engine: Engine,
  caller: System,
  input: Holder & { readonly limit: number },
): Promise<Claim | null> {
  const { result } = await act(engine, { caller }, async (a) => {
    const webhook = await leaseWebhook(a.tx, {
      ownerId: a.ownerId,
      id: input.webhookId,
      token: input.token,
      leaseMs: webhookLeaseMs,
    });
    if (webhook === undefined) return null;
    const rows = await beginTries(a.tx, {
      webhookId: webhook.id,
      which: isOpen(webhook, a.now) ? 'all' : 'tests',
      // One that fails is tried out with one delivery, not with all that wait.
      limit: webhook.failures > 0 ? 1 : input.limit,
      leaseMs: webhookLeaseMs,
    });
    return {
      kind: webhook.kind,
      url: webhook.url,
      secrets: await liveSecrets(a.tx, { webhookId: webhook.id }),
      at: a.now,
      deliveries: rows.map((row) => ({
        deliveryId: row.id,
        attempt: row.attempts,
        messageId: messageIdOf(row),
        body: row.body,
      })),
    };
  });
  return result;
}

function isOpen(webhook: WebhookRow, now: Date): boolean {
  if (webhook.status !== 'active') return false;
  return webhook.pausedUntil === null || webhook.pausedUntil <= now;
}

export interface Tried extends TryEnd {
  /** How long the endpoint wants to be left alone, when it said so. */
  readonly retryAfterMs: number | null;
  /** It was we who broke off: nobody's failure. */
  readonly interrupted: boolean;
}

/** Fenced by the lease and by each try's number; what another has taken over meanwhile is left alone. */
export async function recordTries(
  engine: Engine,
  caller: System,
  input: Holder & { readonly tries: readonly Tried[] },
): Promise<void> {
  await act(engine, { caller }, async (a) => {
    const about = { ownerId: a.ownerId, id: input.webhookId, token: input.token };
    const webhook = await leaseHeld(a.tx, about);
    if (webhook === undefined) {
      throw new MakimaError('FENCED', 'another process speaks to this webhook now', {
        fix: 'nothing: what was sent is sent again under the same id',
      });
    }
    const seen = { failures: webhook.failures, delivered: false, gone: false, counted: false };
    for (const end of input.tries) {
      await endTry(a.tx, end);
      const delivery = await lockTried(a.tx, end);
      if (delivery === undefined) continue;
      await settleTry(a, delivery, end);
      if (delivery.eventId === null || end.interrupted) continue;
      const verdict = tryVerdict(end.status);
      seen.counted = true;
      seen.delivered ||= verdict === 'delivered';
      seen.gone ||= verdict === 'gone';
      seen.failures = verdict === 'delivered' ? 0 : seen.failures + 1;
    }
    if (seen.counted) await noteEndpoint(a, webhook, seen);
  });
}

async function settleTry(a: Act, delivery: DeliveryRow, end: Tried): Promise<void> {
  const { id } = delivery;
  const { attempt } = end;
  if (tryVerdict(end.status) === 'delivered') {
    await finishDelivery(a.tx, { id, attempt, state: 'delivered' });
    return;
  }
  if (end.interrupted) {
    await tryAgain(a.tx, { id, attempt, pauseMs: 0 });
    return;
  }
  // A test is for whoever looks now.
  const tries = delivery.eventId === null ? deliveryTriesMax : delivery.tries;
  const pauseMs = retryPauseMs(tries, end.retryAfterMs);
  if (pauseMs === null) await finishDelivery(a.tx, { id, attempt, state: 'failed' });
  else await tryAgain(a.tx, { id, attempt, pauseMs });
}

interface Seen {
  readonly failures: number;
  readonly delivered: boolean;
  readonly gone: boolean;
}

/** One incident for one dead endpoint: it is set aside once, and told of once. */
async function noteEndpoint(a: Act, webhook: WebhookRow, seen: Seen): Promise<void> {
  const { failures, delivered } = seen;
  const pauseMs = endpointPauseMs({ failures });
  await noteHealth(a.tx, { id: webhook.id, failures, pauseMs, delivered });
  const failingSince = delivered ? a.now : (webhook.failingSince ?? a.now);
  const reason = seen.gone
    ? 'it answered 410: it is gone for good'
    : failures > 0 && isDead({ failures, failingSince }, a.now)
      ? `nothing was taken since ${failingSince.toISOString()}`
      : null;
  if (reason === null) return;
  const moved = await setWebhookStatus(a.tx, {
    id: webhook.id,
    from: 'active',
    to: 'quarantined',
    reason,
  });
  if (!moved) return;
  a.emit('webhook.quarantined', {
    contractId: null,
    data: { webhookId: webhook.id, name: webhook.name, reason },
  });
}

/** Let go, and have it looked at again when the next delivery is due. */
export async function releaseWebhook(engine: Engine, caller: System, input: Holder): Promise<void> {
  await act(engine, { caller }, async (a) => {
    if (await releaseLease(a.tx, { id: input.webhookId, token: input.token }))
      await mailDue(a, input.webhookId);
  });
}
