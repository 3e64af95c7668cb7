/** Handlers of webhooks: each calls one verb. */
import { deleteWebhook, patchWebhook, rotateWebhookSecret } from '@makima/engine/webhook/change';
import { createWebhook } from '@makima/engine/webhook/create';
import { getDelivery, getWebhook, listDeliveries, listWebhooks } from '@makima/engine/webhook/get';
import { replayDelivery, replayWebhook, testWebhook } from '@makima/engine/webhook/replay';
import { reads, writes, type Handlers } from '../mount.ts';

export const webhookHandlers = {
  createWebhook: writes(createWebhook),
  listWebhooks: reads((engine, caller) => listWebhooks(engine, caller)),
  getWebhook: reads(getWebhook),
  patchWebhook: writes(patchWebhook),
  deleteWebhook: writes(deleteWebhook),
  rotateWebhookSecret: writes(rotateWebhookSecret),
  testWebhook: writes(testWebhook),
  listDeliveries: reads(listDeliveries),
  getDelivery: reads(getDelivery),
  replayDelivery: writes(replayDelivery),
  replayWebhook: writes(replayWebhook),
} satisfies Partial<Handlers>;
