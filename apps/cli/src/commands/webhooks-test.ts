/** `makima webhooks test`: a test goes out, and how it went is said. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Delivery } from '@makima/contracts/entity/webhook';
import type { Client } from '@makima/client/client';
import { exitCodes } from '../exit-code.ts';
import { findWebhook } from '../find-webhook.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { duration } from '../time.ts';

/** Longer than one try takes. */
const patienceMs = 30_000;
const lookMs = 250;

export async function run(shell: Shell, [typed]: readonly [string]): Promise<number> {
  const client = await shell.connect();
  const hook = await findWebhook(client, typed);
  const sent = await client.call('testWebhook', { params: { id: hook.id } });
  const test = await settled(client, sent);
  if (shell.format === 'json') shell.json(test);
  else shell.print(oneLine(wordsOf(hook.name, test)));
  if (test.state === 'pending') return exitCodes.cancelled;
  return test.state === 'delivered' ? exitCodes.ok : exitCodes.failed;
}

async function settled(client: Client, sent: Delivery): Promise<Delivery> {
  const until = performance.now() + patienceMs;
  let test = sent;
  while (test.state === 'pending' && performance.now() < until) {
    await pause(lookMs);
    const params = { id: sent.webhookId, deliveryId: sent.id };
    test = await client.call('getDelivery', { params });
  }
  return test;
}

function wordsOf(name: string, test: Delivery): string {
  const how = test.lastStatus === null ? (test.lastError ?? '') : `it answered ${test.lastStatus}`;
  const time = test.lastDurationMs === null ? '' : ` after ${duration(test.lastDurationMs)}`;
  switch (test.state) {
    case 'delivered':
      return `${name} took it: ${how}${time}`;
    case 'failed':
      return `${name} did not take it: ${how}${time}`;
    case 'pending':
      return `nothing is known yet of ${name}: makima webhooks deliveries ${test.webhookId} ${test.id}`;
  }
}
