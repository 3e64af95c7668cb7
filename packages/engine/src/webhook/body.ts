/**
 * What an endpoint is sent of an event: its whole as Standard Webhooks frames it, or a message for a phone.
 *
 * Law: made once, when the event becomes a delivery, so that every try sends the same bytes. Null where
 * nobody needs to be told.
 */
import { personNeeded, pushOf } from '@makima/domain/push';
import type { EventRow } from '@makima/db/repo/events';
import type { WebhookRow } from '@makima/db/rows';
import { presentEvent } from '../present/event.ts';

/** Of what an event speaks, beyond itself. */
export interface About {
  readonly contractSlug: string | null;
}

export function bodyOf(
  webhook: Pick<WebhookRow, 'kind' | 'topic'>,
  event: EventRow,
  about: About,
): string | null {
  if (webhook.kind === 'webhook') {
    const timestamp = event.at.toISOString();
    return JSON.stringify({ type: event.type, timestamp, data: presentEvent(event) });
  }
  const push = pushOf({ type: event.type, data: event.data, contract: about.contractSlug });
  if (push === null) return null;
  const needsPerson = personNeeded.some((type) => type === event.type);
  const lines = [push.message, needsPerson ? personAct : ''].filter((line) => line !== '');
  return ntfyBody(webhook, { ...push, message: lines.join('\n') });
}

/** There is no page to open: what a person does is said in words. */
const personAct = 'In a terminal: makima inbox';

export function testBody(
  webhook: Pick<WebhookRow, 'id' | 'kind' | 'topic' | 'name'>,
  about: { readonly now: Date },
): string {
  const message = `This is a test of the webhook ${webhook.name}.`;
  if (webhook.kind === 'webhook') {
    const timestamp = about.now.toISOString();
    return JSON.stringify({
      type: testType,
      timestamp,
      data: { webhookId: webhook.id, message },
    });
  }
  const title = 'makima: test';
  return ntfyBody(webhook, { title, message, priority: 3, tags: ['white_check_mark'] });
}

export const testType = 'webhook.test';

function ntfyBody({ topic }: Pick<WebhookRow, 'topic'>, push: object): string {
  return JSON.stringify({ topic, ...push });
}
