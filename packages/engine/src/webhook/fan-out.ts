/**
 * Sweep: events become deliveries. Each active endpoint has a place in its owner's feed of events; what lies
 * behind it is looked at, what the endpoint wants becomes a row, and the place moves on, in one transaction.
 *
 * Law: no verb knows of webhooks; whatever is an event is delivered, in whatever order transactions end. A
 * round that dies is a round that did not happen; a row that is there already stays.
 */
import { insertDeliveries, type NewDelivery } from '@makima/db/repo/deliveries';
import { eventsAfter, type EventRow } from '@makima/db/repo/events';
import { slugsOf } from '@makima/db/repo/contracts';
import { moveCursor, takeWebhookBehind, webhooksBehind } from '@makima/db/repo/webhooks';
import type { WebhookRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { bodyOf } from './body.ts';

/** Events that one round looks at for one endpoint. */
const eventsPerRound = 500;

/** Answers how many endpoints it looked at. */
export async function fanOutEvents(engine: Engine, input: { limit: number }): Promise<number> {
  const behind = await webhooksBehind(engine.database.sql, input);
  await eachRow(behind, (row) => {
    const caller = { kind: 'system', ownerId: row.ownerId, name: 'webhooks' } as const;
    return act(engine, { caller }, (a) => fanOut(a, row.id));
  });
  return behind.length;
}

async function fanOut(a: Act, id: string): Promise<void> {
  const webhook = await takeWebhookBehind(a.tx, { id });
  if (webhook === undefined) return;
  const after = { xid: webhook.cursorXid, id: webhook.cursorId };
  const limit = eventsPerRound;
  const events = await eventsAfter(a.tx, { ownerId: a.ownerId, after, limit });
  const last = events.at(-1);
  if (last === undefined) return;
  const wanted = events.filter((event) => wants(webhook, event));
  const made = await insertDeliveries(a.tx, await deliveriesOf(a, webhook, wanted));
  await moveCursor(a.tx, { id, to: last });
  if (made > 0)
    a.mail('deliver-notification', { webhookId: id }, { entityId: id, fence: `e${last.id}` });
}

function wants(webhook: WebhookRow, event: EventRow): boolean {
  const { eventTypes, contractIds } = webhook;
  if (!eventTypes.includes('*') && !eventTypes.includes(event.type)) return false;
  return contractIds.length === 0 || contractIds.includes(event.contractId ?? '');
}

export async function deliveriesOf(
  a: Act,
  webhook: WebhookRow,
  events: readonly EventRow[],
): Promise<NewDelivery[]> {
  const ids = [...new Set(events.flatMap((event) => event.contractId ?? []))];
  const slugs = webhook.kind === 'ntfy' ? await slugsOf(a.tx, { ownerId: a.ownerId, ids }) : null;
  return events.flatMap((event) => {
    const contractSlug = slugs?.get(event.contractId ?? '') ?? null;
    const body = bodyOf(webhook, event, { contractSlug });
    if (body === null) return [];
    return [
      {
        ownerId: webhook.ownerId,
        webhookId: webhook.id,
        eventId: event.id,
        eventType: event.type,
        contractId: event.contractId,
        body,
      },
    ];
  });
}
