/** `makima directives list`: standing goals, and how many of their orders wait for a word. */
import type { Directive } from '@makima/contracts/entity/directive';
import type { DirectiveStatus } from '@makima/domain/directive';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago } from '../time.ts';

interface Options {
  readonly status?: DirectiveStatus;
  readonly limit: number;
}

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<void> {
  const { status, limit } = options;
  const client = await shell.connect();
  const page = await client.call('listDirectives', {
    query: { limit, ...(status === undefined ? {} : { status }) },
  });
  if (shell.format === 'json') {
    shell.json(page);
    return;
  }
  if (page.items.length === 0) {
    shell.say('No directives.  Set one:  makima directives create "no dead code" --repo .');
    return;
  }
  shell.print(renderTable(columns(page.items, shell.nowMs()), page.items, shell.screen));
}

function columns(directives: readonly Directive[], nowMs: number): readonly Column<Directive>[] {
  const short = shortIds(directives.map((d) => d.id));
  return [
    { head: 'ID', rigid: true, cell: (d) => short(d.id), full: (d) => d.id },
    { head: 'TITLE', cell: (d) => d.title, least: 12 },
    { head: 'STATUS', rigid: true, cell: (d) => d.status },
    { head: 'MODE', rigid: true, cell: (d) => d.reconcileMode, drop: 3 },
    { head: 'ORDERS', rigid: true, cell: (d) => `${d.openOrders} open` },
    { head: 'AGENTS', rigid: true, cell: (d) => String(d.openTasks), drop: 2 },
    {
      head: 'AGE',
      rigid: true,
      cell: (d) => ago(d.createdAt, nowMs),
      full: (d) => d.createdAt,
      drop: 4,
    },
  ];
}
