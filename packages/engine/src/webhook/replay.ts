/** Deliveries that a person asks for: a test, one once more, or everything since a time. */
import type { Delivery } from '@makima/contracts/entity/webhook';
import { MakimaError } from '@makima/domain/error';
import {
  countPendingTests,
  findDelivery,
  insertOrRepeat,
  insertTest,
  repeatDelivery,
} from '@makima/db/repo/deliveries';
import { eventsBetween, lockWebhook } from '@makima/db/repo/webhooks';
import type { WebhookRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requireOwner } from '../authorize.ts';
import { presentDelivery } from '../present/webhook.ts';
import { testBody, testType } from './body.ts';
import { deliveriesOf } from './fan-out.ts';

/** A test that is asked for again and again waits for the earlier ones. */
const pendingTestsMax = 10;
const rowsPerStatement = 500;

export function testWebhook(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<Delivery>> {
  return act(engine, call, async (a) => {
    const webhook = await locked(a, input.id, 'test webhooks');
    if ((await countPendingTests(a.tx, { webhookId: webhook.id })) >= pendingTestsMax) {
      throw new MakimaError('LIMIT_EXCEEDED', `${pendingTestsMax} tests wait already`, {
        retryable: true,
        fix: 'see how they went: makima webhooks deliveries',
      });
    }
    const made = await insertTest(a.tx, {
      ownerId: a.ownerId,
      webhookId: webhook.id,
      eventType: testType,
      body: testBody(webhook, { now: a.now }),
    });
    mailNow(a, webhook.id, made.id);
    return delivery(a, webhook.id, made.id);
  });
}

/** @throws CONFLICT when it waits to be delivered anyway, or the webhook is not active. */
export function replayDelivery(
  engine: Engine,
  call: Call,
  input: { id: string; deliveryId: string },
): Promise<Acted<Delivery>> {
  return act(engine, call, async (a) => {
    const webhook = await locked(a, input.id, 'replay deliveries');
    const found = await delivery(a, webhook.id, input.deliveryId);
    if (found.eventId !== null) requireActive(webhook);
    if (!(await repeatDelivery(a.tx, { id: found.id }))) {
      throw new MakimaError('CONFLICT', 'this delivery waits to be delivered anyway', {
        fix: `see when: makima webhooks deliveries ${webhook.id}`,
      });
    }
    mailNow(a, webhook.id, `${found.id}-${found.attempts}`);
    return delivery(a, webhook.id, found.id);
  });
}

/** Everything that it wants and that happened in this span, under the ids that it had. */
export function replayWebhook(
  engine: Engine,
  call: Call,
  input: { id: string; since: string; until?: string | undefined },
): Promise<Acted<{ id: string; deliveries: number }>> {
  return act(engine, call, async (a) => {
    const webhook = await locked(a, input.id, 'replay deliveries');
    requireActive(webhook);
    const most = engine.limits.replayedDeliveriesMax;
    const events = await eventsBetween(a.tx, {
      webhook,
      since: new Date(input.since),
      until: input.until === undefined ? a.now : new Date(input.until),
      limit: most + 1,
    });
    if (events.length > most) {
      throw new MakimaError('LIMIT_EXCEEDED', `more than ${most} events lie in this span`, {
        details: { limit: most },
        fix: 'replay shorter spans, one after the other',
      });
    }
    const rows = await deliveriesOf(a, webhook, events);
    let deliveries = 0;
    for (let at = 0; at < rows.length; at += rowsPerStatement)
      deliveries += await insertOrRepeat(a.tx, rows.slice(at, at + rowsPerStatement));
    if (deliveries > 0) mailNow(a, webhook.id, `replay-${a.now.getTime().toString(36)}`);
    a.audit('webhook.replay', 'done', { kind: 'webhook', id: webhook.id }, { deliveries });
    return { id: webhook.id, deliveries };
  });
}

async function locked(a: Act, id: string, what: string): Promise<WebhookRow> {
  requireOwner(a.caller, what);
  const row = await lockWebhook(a.tx, { ownerId: a.ownerId, id });
  if (row === undefined) throw notFound('webhook', id);
  return row;
}

function requireActive(webhook: WebhookRow): void {
  if (webhook.status === 'active') return;
  throw new MakimaError('CONFLICT', `this webhook is ${webhook.status}: nothing is delivered`, {
    details: { status: webhook.status, reason: webhook.statusReason },
    fix: `bring it back first: makima webhooks enable ${webhook.id}`,
  });
}

async function delivery(a: Act, webhookId: string, id: string): Promise<Delivery> {
  const row = await findDelivery(a.tx, { ownerId: a.ownerId, webhookId, id });
  if (row === undefined) throw notFound('delivery', id);
  return presentDelivery(row);
}

function mailNow(a: Act, webhookId: string, fence: string): void {
  a.mail('deliver-notification', { webhookId }, { entityId: webhookId, fence });
}
