/** The verbs of webhooks, for the tests that walk all verbs. */
import { deleteWebhook, patchWebhook, rotateWebhookSecret } from './webhook/change.ts';
import { createWebhook } from './webhook/create.ts';
import { getDelivery, getWebhook, listDeliveries, listWebhooks } from './webhook/get.ts';
import { replayDelivery, replayWebhook, testWebhook } from './webhook/replay.ts';
import type { VerbLine } from './test-verb.ts';

const page = { limit: 10 };
const hookUrl = 'https://hooks.example.com/makima';

export const webhookVerbs: readonly VerbLine[] = [
  [
    'createWebhook',
    'writes',
    null,
    (e, c) => createWebhook(e, c, { kind: 'webhook', url: hookUrl, contractIds: [] }),
  ],
  ['listWebhooks', 'reads', null, (e, c) => listWebhooks(e, c.caller)],
  ['getWebhook', 'reads', 'webhookId', (e, c, i) => getWebhook(e, c.caller, { id: i.webhookId })],
  [
    'patchWebhook',
    'writes',
    'webhookId',
    (e, c, i) => patchWebhook(e, c, { id: i.webhookId, name: 'other' }),
  ],
  [
    'rotateWebhookSecret',
    'writes',
    'webhookId',
    (e, c, i) => rotateWebhookSecret(e, c, { id: i.webhookId, overlapSeconds: 60 }),
  ],
  ['testWebhook', 'writes', 'webhookId', (e, c, i) => testWebhook(e, c, { id: i.webhookId })],
  [
    'listDeliveries',
    'reads',
    'webhookId',
    (e, c, i) => listDeliveries(e, c.caller, { id: i.webhookId, ...page }),
  ],
  [
    'getDelivery',
    'reads',
    'webhookId',
    (e, c, i) => getDelivery(e, c.caller, { id: i.webhookId, deliveryId: i.deliveryId }),
  ],
  [
    'replayDelivery',
    'writes',
    'webhookId',
    (e, c, i) => replayDelivery(e, c, { id: i.webhookId, deliveryId: i.deliveryId }),
  ],
  [
    'replayWebhook',
    'writes',
    'webhookId',
    (e, c, i) => replayWebhook(e, c, { id: i.webhookId, since: '2020-01-01T00:00:00Z' }),
  ],
  ['deleteWebhook', 'writes', 'webhookId', (e, c, i) => deleteWebhook(e, c, { id: i.webhookId })],
];
