/** Endpoints of webhooks: who is told of what, and how it went. For owners. */
import { z } from 'zod';
import { deliveryStates } from '@makima/domain/webhook';
import { zId, zTime } from '../ids.ts';
import {
  zDelivery,
  zDeliveryDetail,
  zWebhook,
  zWebhookInput,
  zWebhookPatch,
  zWebhookWithSecret,
} from '../entity/webhook.ts';
import { zCursorQuery, zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const byDelivery = z.strictObject({ id: zId, deliveryId: zId });
const tag = 'webhooks';
const owners = { person: 'owner', tool: 'none', daemon: false } as const;

export const createWebhook = defineEndpoint({
  id: 'createWebhook',
  method: 'POST',
  path: '/api/v1/webhooks',
  tag,
  summary: 'Tell an address of events; the secret that signs is shown once',
  description:
    'Signed as Standard Webhooks: `webhook-id` (the same over all tries), `webhook-timestamp`, `webhook-signature: v1,…` (HMAC-SHA256 of `id.timestamp.body` with the base64 part of `whsec_…`). Delivered at least once, in no promised order. https to public addresses only, unless the installation allows a host (MAKIMA_WEBHOOK_ALLOWED_HOSTS). Kind `ntfy`: messages for a phone.',
  body: zWebhookInput,
  status: 201,
  response: zWebhookWithSecret,
  errors: ['LIMIT_EXCEEDED', 'CONTRACT_NOT_FOUND'],
  policy: owners,
});

export const listWebhooks = defineEndpoint({
  id: 'listWebhooks',
  method: 'GET',
  path: '/api/v1/webhooks',
  tag,
  summary: 'All webhooks, and how they do',
  status: 200,
  response: z.object({ items: z.array(zWebhook) }),
  errors: [],
  policy: owners,
});

export const getWebhook = defineEndpoint({
  id: 'getWebhook',
  method: 'GET',
  path: '/api/v1/webhooks/{id}',
  tag,
  summary: 'One webhook',
  params: byId,
  status: 200,
  response: zWebhook,
  errors: ['NOT_FOUND'],
  policy: owners,
});

export const patchWebhook = defineEndpoint({
  id: 'patchWebhook',
  method: 'PATCH',
  path: '/api/v1/webhooks/{id}',
  tag,
  summary: 'Change a webhook, disable it, or bring it back',
  description:
    'Brought back, it is told of what comes from then on; what happened meanwhile is delivered by a replay.',
  params: byId,
  body: zWebhookPatch,
  status: 200,
  response: zWebhook,
  errors: ['NOT_FOUND', 'VERSION_CONFLICT', 'CONTRACT_NOT_FOUND'],
  policy: owners,
});

export const deleteWebhook = defineEndpoint({
  id: 'deleteWebhook',
  method: 'DELETE',
  path: '/api/v1/webhooks/{id}',
  tag,
  summary: 'Delete a webhook with its log',
  params: byId,
  status: 200,
  response: z.object({ id: zId, deleted: z.literal(true) }),
  errors: ['NOT_FOUND'],
  policy: owners,
});

export const rotateWebhookSecret = defineEndpoint({
  id: 'rotateWebhookSecret',
  method: 'POST',
  path: '/api/v1/webhooks/{id}/rotate',
  tag,
  summary: 'A new secret; the former one signs too for a while, so that nothing is refused',
  params: byId,
  body: z.strictObject({ overlapSeconds: z.int().min(0).max(2_592_000).default(86_400) }),
  status: 200,
  response: zWebhookWithSecret,
  errors: ['NOT_FOUND', 'CONFLICT'],
  policy: owners,
});

export const testWebhook = defineEndpoint({
  id: 'testWebhook',
  method: 'POST',
  path: '/api/v1/webhooks/{id}/test',
  tag,
  summary: 'Send a test now, whatever its status; read the delivery to see how it went',
  params: byId,
  status: 201,
  response: zDelivery,
  errors: ['NOT_FOUND', 'LIMIT_EXCEEDED'],
  policy: owners,
});

export const listDeliveries = defineEndpoint({
  id: 'listDeliveries',
  method: 'GET',
  path: '/api/v1/webhooks/{id}/deliveries',
  tag,
  summary: 'What was delivered, is tried again, or failed; newest first',
  params: byId,
  query: zCursorQuery.extend({ state: z.enum(deliveryStates).optional() }),
  status: 200,
  response: zPage(zDelivery),
  errors: ['NOT_FOUND'],
  policy: owners,
});

export const getDelivery = defineEndpoint({
  id: 'getDelivery',
  method: 'GET',
  path: '/api/v1/webhooks/{id}/deliveries/{deliveryId}',
  tag,
  summary: 'One delivery with what was sent and every try',
  params: byDelivery,
  status: 200,
  response: zDeliveryDetail,
  errors: ['NOT_FOUND'],
  policy: owners,
});

export const replayDelivery = defineEndpoint({
  id: 'replayDelivery',
  method: 'POST',
  path: '/api/v1/webhooks/{id}/deliveries/{deliveryId}/replay',
  tag,
  summary: 'Deliver once more, under the same id',
  params: byDelivery,
  status: 200,
  response: zDelivery,
  errors: ['NOT_FOUND', 'CONFLICT'],
  policy: owners,
});

export const replayWebhook = defineEndpoint({
  id: 'replayWebhook',
  method: 'POST',
  path: '/api/v1/webhooks/{id}/replay',
  tag,
  summary: 'Deliver everything since a time, once more or for the first time',
  params: byId,
  body: z.strictObject({ since: zTime, until: zTime.optional() }),
  status: 200,
  response: z.object({ id: zId, deliveries: z.int() }),
  errors: ['NOT_FOUND', 'CONFLICT', 'LIMIT_EXCEEDED'],
  policy: owners,
});
