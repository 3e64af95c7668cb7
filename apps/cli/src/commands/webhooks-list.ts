/** `makima webhooks list`: who is told of events, and how they do. */
import type { Webhook } from '@makima/contracts/entity/webhook';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago } from '../time.ts';

export async function run(shell: Shell): Promise<void> {
  const client = await shell.connect();
  const hooks = await client.call('listWebhooks');
  if (shell.format === 'json') {
    shell.json(hooks);
    return;
  }
  if (hooks.items.length === 0) {
    shell.say(
      'Nobody is told: questions wait silently.  Tell somebody: makima webhooks create <url>',
    );
    return;
  }
  shell.print(renderTable(columns(hooks.items, shell.nowMs()), hooks.items, shell.screen));
}

function columns(hooks: readonly Webhook[], nowMs: number): readonly Column<Webhook>[] {
  const short = shortIds(hooks.map((hook) => hook.id));
  return [
    { head: 'ID', rigid: true, cell: (hook) => short(hook.id), full: (hook) => hook.id },
    { head: 'NAME', cell: (hook) => hook.name },
    { head: 'KIND', cell: (hook) => hook.kind, drop: 2 },
    {
      head: 'STATUS',
      cell: statusOf,
      full: (hook) => hook.status,
      tint: (text, hook, colors) =>
        hook.status !== 'active' || hook.failures > 0 ? colors.red(text) : colors.green(text),
    },
    { head: 'WAITS', cell: (hook) => String(hook.pending) },
    {
      head: 'TOLD',
      cell: (hook) => ago(hook.lastDeliveredAt, nowMs),
      full: (hook) => hook.lastDeliveredAt ?? '-',
    },
    { head: 'EVENTS', cell: (hook) => hook.eventTypes.join(','), drop: 1 },
  ];
}

/** A person must see that an active one fails. */
export function statusOf(hook: Webhook): string {
  return hook.status === 'active' && hook.failures > 0 ? `fails (${hook.failures})` : hook.status;
}
