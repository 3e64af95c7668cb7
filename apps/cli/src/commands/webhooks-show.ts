/** `makima webhooks show`: what it is told, where, and how it does. */
import { renderFacts, type Fact } from '../facts.ts';
import { findWebhook } from '../find-webhook.ts';
import type { Webhook } from '@makima/contracts/entity/webhook';
import type { Shell } from '../shell.ts';
import { ago } from '../time.ts';
import { statusOf } from './webhooks-list.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const hook = await findWebhook(client, typed);
  if (shell.format === 'json') {
    shell.json(hook);
    return;
  }
  shell.print(renderFacts(factsOf(hook, shell.nowMs()), shell.screen));
  const act =
    hook.status === 'active'
      ? `Log: makima webhooks deliveries ${hook.id}`
      : `Bring it back: makima webhooks enable ${hook.id}   Try it first: makima webhooks test ${hook.id}`;
  shell.say(`\n${act}`);
}

function factsOf(hook: Webhook, nowMs: number): Fact[] {
  return [
    ['name', hook.name],
    ['id', hook.id],
    ['kind', hook.kind],
    ['url', hook.url],
    ['topic', hook.topic],
    ['events', hook.eventTypes.join(', ')],
    ['contracts', hook.contractIds.length === 0 ? 'all' : hook.contractIds.join(', ')],
    ['status', `${statusOf(hook)}, since ${ago(hook.statusChangedAt, nowMs)}`],
    ['why', hook.statusReason],
    ['fails since', hook.failingSince],
    ['left alone until', hook.pausedUntil],
    ['waits', String(hook.pending)],
    ['told', hook.lastDeliveredAt === null ? 'never' : ago(hook.lastDeliveredAt, nowMs)],
    ['secrets', secretsOf(hook)],
  ];
}

function secretsOf({ secrets }: Webhook): string {
  return secrets
    .map(({ createdAt, expiresAt }) =>
      expiresAt === null ? `of ${createdAt}` : `of ${createdAt}, until ${expiresAt}`,
    )
    .join('; ');
}
