/** Webhooks for tests: one that wants everything of a contract, and whoever would send, played by its verbs. */
import { randomUUID } from 'node:crypto';
import type { WebhookInput } from '@makima/contracts/entity/webhook';
import { by, type TestEngine } from './test-engine.ts';
import { createWebhook, type WithSecret } from './webhook/create.ts';
import { claimDeliveries, recordTries, releaseWebhook, type Claim } from './webhook/deliver.ts';
import { fanOutEvents } from './webhook/fan-out.ts';
import { listDeliveries } from './webhook/get.ts';
import { testWebhook } from './webhook/replay.ts';

export const hookUrl = 'https://hooks.example.com/makima';

export async function newWebhook(
  t: TestEngine,
  input: Partial<WebhookInput> = {},
): Promise<WithSecret> {
  const whole: WebhookInput = { kind: 'webhook', url: hookUrl, contractIds: [], ...input };
  return (await createWebhook(t.engine, by(t.owner), whole)).result;
}

/**
 * All events so far become deliveries. The feed ends below the oldest open transaction of the whole server,
 * and other tests have databases on it: theirs are waited for.
 */
export async function fanOut(t: TestEngine): Promise<void> {
  for (let held = true; held;) {
    const [feed] = await t.database.sql<{ held: boolean }[]>`
      select exists (select 1 from events where xid >= pg_snapshot_xmin(pg_current_snapshot())) as held`;
    held = feed?.held ?? false;
    while ((await fanOutEvents(t.engine, { limit: 100 })) > 0);
  }
}

/** Sends what is due once, to an endpoint that answers so; what was claimed. */
export async function sendDue(
  t: TestEngine,
  webhookId: string,
  status: number | null,
): Promise<Claim | null> {
  const holder = { webhookId, token: randomUUID() };
  const claim = await claimDeliveries(t.engine, t.system, { ...holder, limit: 100 });
  const tries = (claim?.deliveries ?? []).map(({ deliveryId, attempt }) => ({
    deliveryId,
    attempt,
    durationMs: 5,
    status,
    answer: status === null ? null : 'answer',
    error: status === null ? 'ECONNREFUSED' : null,
    retryAfterMs: null,
    interrupted: false,
  }));
  if (tries.length > 0) await recordTries(t.engine, t.system, { ...holder, tries });
  await releaseWebhook(t.engine, t.system, holder);
  return claim;
}

/** A webhook with a delivery that was taken. */
export async function webhookScene(
  t: TestEngine,
  options: { readonly contractId: string },
): Promise<{ webhookId: string; deliveryId: string }> {
  const { webhook } = await newWebhook(t, { contractIds: [options.contractId] });
  await testWebhook(t.engine, by(t.owner), { id: webhook.id });
  await sendDue(t, webhook.id, 200);
  const { items } = await listDeliveries(t.engine, t.owner, { id: webhook.id, limit: 1 });
  return { webhookId: webhook.id, deliveryId: items[0]?.id ?? '' };
}
