/** Webhooks and what became of their deliveries, for owners. */
import type { Delivery, DeliveryDetail, Webhook } from '@makima/contracts/entity/webhook';
import type { DeliveryState } from '@makima/domain/webhook';
import { attemptsOf, findDelivery, listDeliveryRows } from '@makima/db/repo/deliveries';
import { findWebhook, webhooksOf, type WebhookInFull } from '@makima/db/repo/webhooks';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import { notFound, requireOwner } from '../authorize.ts';
import { idCursor } from '../page-cursor.ts';
import { presentDelivery, presentDeliveryDetail, presentWebhook } from '../present/webhook.ts';
import type { Principal } from '../principal.ts';

export async function listWebhooks(
  engine: Engine,
  caller: Principal,
): Promise<{ items: Webhook[] }> {
  requireOwner(caller, 'see webhooks');
  const { sql } = engine.database;
  const rows = await reading(engine.database, webhooksOf(sql, { ownerId: caller.ownerId }));
  return { items: rows.map(presentWebhook) };
}

export async function getWebhook(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<Webhook> {
  return presentWebhook(await readable(engine, caller, input.id));
}

export async function listDeliveries(
  engine: Engine,
  caller: Principal,
  input: {
    id: string;
    state?: DeliveryState | undefined;
    limit: number;
    after?: string | undefined;
  },
): Promise<{ items: Delivery[]; nextCursor: string | null }> {
  const webhook = await readable(engine, caller, input.id);
  const rows = await reading(
    engine.database,
    listDeliveryRows(engine.database.sql, {
      ownerId: caller.ownerId,
      webhookId: webhook.id,
      state: input.state,
      beforeId: idCursor(input.after),
      limit: input.limit + 1,
    }),
  );
  const page = rows.slice(0, input.limit);
  return {
    items: page.map(presentDelivery),
    nextCursor: rows.length > input.limit ? (page.at(-1)?.id ?? null) : null,
  };
}

export async function getDelivery(
  engine: Engine,
  caller: Principal,
  input: { id: string; deliveryId: string },
): Promise<DeliveryDetail> {
  const webhook = await readable(engine, caller, input.id);
  const { sql } = engine.database;
  const about = { ownerId: caller.ownerId, webhookId: webhook.id, id: input.deliveryId };
  const row = await reading(engine.database, findDelivery(sql, about));
  if (row === undefined) throw notFound('delivery', input.deliveryId);
  const tried = await reading(engine.database, attemptsOf(sql, { deliveryId: row.id }));
  return presentDeliveryDetail(row, tried, webhook.url);
}

async function readable(engine: Engine, caller: Principal, id: string): Promise<WebhookInFull> {
  requireOwner(caller, 'see webhooks');
  const { sql } = engine.database;
  const row = await reading(engine.database, findWebhook(sql, { ownerId: caller.ownerId, id }));
  if (row === undefined) throw notFound('webhook', id);
  return row;
}
