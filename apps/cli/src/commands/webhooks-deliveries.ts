/** `makima webhooks deliveries`: the log; of one delivery, what was sent and every try. */
import type { Delivery, DeliveryDetail } from '@makima/contracts/entity/webhook';
import { renderFacts, type Fact } from '../facts.ts';
import { findWebhook } from '../find-webhook.ts';
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';
import { ago, duration } from '../time.ts';

interface Options {
  readonly state?: 'pending' | 'delivered' | 'failed';
  readonly limit: number;
}

export async function run(
  shell: Shell,
  [typed, deliveryId]: readonly [string, string | undefined],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const { id } = await findWebhook(client, typed);
  if (deliveryId !== undefined) {
    const detail = await client.call('getDelivery', { params: { id, deliveryId } });
    return show(shell, detail);
  }
  const { state, limit } = options;
  const page = await client.call('listDeliveries', {
    params: { id },
    query: { limit, ...(state === undefined ? {} : { state }) },
  });
  if (shell.format === 'json') shell.json(page);
  else if (page.items.length === 0) shell.say('Nothing was delivered, and nothing waits.');
  else shell.print(renderTable(columns(shell.nowMs()), page.items, shell.screen));
}

function columns(nowMs: number): readonly Column<Delivery>[] {
  return [
    { head: 'ID', rigid: true, cell: (one) => one.id },
    { head: 'EVENT', cell: (one) => one.eventType },
    {
      head: 'STATE',
      cell: (one) => one.state,
      tint: (text, one, colors) => (one.state === 'failed' ? colors.red(text) : text),
    },
    { head: 'TRIES', cell: (one) => String(one.attempts) },
    { head: 'LAST', cell: lastOf },
    {
      head: 'AGE',
      cell: (one) => ago(one.createdAt, nowMs),
      full: (one) => one.createdAt,
      drop: 1,
    },
    { head: 'NEXT', cell: (one) => one.nextTryAt ?? '-', drop: 2 },
  ];
}

function lastOf(one: Pick<Delivery, 'lastStatus' | 'lastError'>): string {
  return one.lastStatus === null ? (one.lastError ?? '-') : String(one.lastStatus);
}

function show(shell: Shell, detail: DeliveryDetail): void {
  if (shell.format === 'json') {
    shell.json(detail);
    return;
  }
  const facts: Fact[] = [
    ['id', detail.id],
    ['message', detail.messageId],
    ['event', `${detail.eventType}${detail.eventId === null ? '' : ` ${detail.eventId}`}`],
    ['to', detail.url],
    ['state', detail.state],
    ['next try', detail.nextTryAt],
  ];
  shell.print(renderFacts(facts, shell.screen));
  shell.print(renderTable<Tried>(tried, detail.tried, shell.screen));
  if (shell.screen.isTty) shell.print(`\n${plain(detail.body)}`);
}

type Tried = DeliveryDetail['tried'][number];

const tried: readonly Column<Tried>[] = [
  { head: 'TRY', cell: (one) => String(one.attempt) },
  { head: 'AT', rigid: true, cell: (one) => one.startedAt },
  { head: 'STATUS', cell: (one) => (one.status === null ? '-' : String(one.status)) },
  { head: 'TOOK', cell: (one) => (one.durationMs === null ? '-' : duration(one.durationMs)) },
  { head: 'ANSWER', cell: (one) => one.error ?? one.answer ?? 'nothing is known' },
];
