/** `makima webhooks replay`: one delivery, or everything since a time. */
import { tellDone } from '../act.ts';
import { durationSeconds } from '../catalog/spec.ts';
import { findWebhook } from '../find-webhook.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly since?: string;
  readonly until?: string;
}

export async function run(
  shell: Shell,
  [typed, deliveryId]: readonly [string, string | undefined],
  { since, until }: Options,
): Promise<void> {
  if ((deliveryId === undefined) === (since === undefined))
    throw usageError('say what: one delivery, or --since a time', 'makima webhooks replay --help');
  const span = since === undefined ? undefined : spanOf(shell, since, until);
  const client = await shell.connect();
  const { id, name } = await findWebhook(client, typed);
  if (deliveryId !== undefined) {
    const again = await client.call('replayDelivery', { params: { id, deliveryId } });
    tellDone(shell, again, `${name} is told once more: ${again.messageId}`);
    return;
  }
  if (span === undefined) return;
  const done = await client.call('replayWebhook', { params: { id }, body: span });
  tellDone(shell, done, `${name} is told of ${done.deliveries} events`);
}

function spanOf(
  shell: Shell,
  since: string,
  until: string | undefined,
): { since: string; until?: string } {
  const from = momentOf(shell, since);
  return until === undefined ? { since: from } : { since: from, until: momentOf(shell, until) };
}

function momentOf(shell: Shell, text: string): string {
  if (/^\d+[smhd]$/.test(text))
    return new Date(shell.nowMs() - durationSeconds(text) * 1_000).toISOString();
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw usageError(`'${text}' is no time`, 'write 2h, or 2026-03-01T10:00:00Z');
  return new Date(ms).toISOString();
}
