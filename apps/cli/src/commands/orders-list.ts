/** `makima orders list`: what agents of directives ordered. */
import type { Order } from '@makima/contracts/entity/directive';
import type { OrderStatus, OrderType } from '@makima/domain/directive';
import { allDirectives, directiveId } from '../find-directive.ts';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago } from '../time.ts';

interface Options {
  readonly status: OrderStatus | 'all';
  readonly directive?: string;
  readonly type?: OrderType;
  readonly label?: string;
  readonly limit: number;
}

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<void> {
  const { status, directive, type, label, limit } = options;
  const client = await shell.connect();
  const of = directive === undefined ? undefined : await directiveId(client, directive);
  const page = await client.call('listOrders', {
    query: {
      limit,
      ...(status === 'all' ? {} : { status }),
      ...(of === undefined ? {} : { directiveId: of }),
      ...(type === undefined ? {} : { orderType: type }),
      ...(label === undefined ? {} : { label }),
    },
  });
  if (shell.format === 'json') {
    shell.json(page);
    return;
  }
  if (page.items.length === 0) {
    shell.say(
      status === 'open'
        ? 'No order waits for your word.  All of them:  makima orders list --status all'
        : 'No order is like that.',
    );
    return;
  }
  const titles = new Map((await allDirectives(client)).map(({ id, title }) => [id, title]));
  shell.print(renderTable(columns(page.items, titles, shell.nowMs()), page.items, shell.screen));
  if (shell.screen.isTty && page.items.some((order) => order.status === 'open'))
    shell.say(
      'Decide: makima orders accept <order>   or   makima orders dismiss <order> <why not>',
    );
}

function columns(
  orders: readonly Order[],
  titles: ReadonlyMap<string, string>,
  nowMs: number,
): readonly Column<Order>[] {
  const short = shortIds(orders.map((order) => order.id));
  return [
    { head: 'ID', rigid: true, cell: (o) => short(o.id), full: (o) => o.id },
    { head: 'TITLE', cell: (o) => o.title, least: 12 },
    { head: 'TYPE', rigid: true, cell: (o) => o.orderType },
    { head: 'PRIORITY', rigid: true, cell: (o) => o.priority, drop: 3 },
    { head: 'STATUS', rigid: true, cell: (o) => o.status },
    { head: 'DIRECTIVE', cell: (o) => titles.get(o.directiveId) ?? '-', drop: 4 },
    { head: 'LABELS', cell: (o) => o.labels.join(', '), drop: 5 },
    {
      head: 'AGE',
      rigid: true,
      cell: (o) => ago(o.createdAt, nowMs),
      full: (o) => o.createdAt,
      drop: 2,
    },
    { head: 'BECAME', only: 'pipe', cell: (o) => o.contractId ?? '' },
  ];
}
