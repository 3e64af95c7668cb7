/** `makima daemon list`: machines that run agents. */
import type { Daemon } from '@makima/contracts/entity/daemon';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago } from '../time.ts';

export async function run(shell: Shell): Promise<void> {
  const client = await shell.connect();
  const daemons = await client.call('listDaemons');
  if (shell.format === 'json') {
    shell.json(daemons);
    return;
  }
  if (daemons.items.length === 0) {
    shell.say('No machine has joined. Add one:  makima daemon enrol');
    return;
  }
  shell.print(renderTable(columns(daemons.items, shell.nowMs()), daemons.items, shell.screen));
}

function columns(daemons: readonly Daemon[], nowMs: number): readonly Column<Daemon>[] {
  const short = shortIds(daemons.map((d) => d.id));
  const connected = (d: Daemon): boolean => d.status === 'connected';
  return [
    {
      head: ' ',
      only: 'screen',
      rigid: true,
      cell: (d) => (connected(d) ? '>' : 'x'),
      tint: (text, d, colors) => (connected(d) ? colors.green(text) : colors.red(text)),
    },
    { head: 'ID', rigid: true, cell: (d) => short(d.id), full: (d) => d.id },
    { head: 'NAME', cell: (d) => d.name },
    { head: 'STATUS', cell: (d) => d.status },
    { head: 'HOST', cell: (d) => d.host ?? '-', drop: 4 },
    { head: 'RUNS', rigid: true, cell: (d) => `${d.currentTaskCount}/${d.maxConcurrentTasks}` },
    { head: 'AGENTS', cell: agentsOf, drop: 2 },
    { head: 'VERSION', cell: (d) => d.version ?? '-', drop: 3 },
    {
      head: 'SEEN',
      rigid: true,
      cell: (d) => ago(d.lastSeenAt, nowMs),
      full: (d) => d.lastSeenAt ?? '-',
      drop: 1,
    },
  ];
}

function agentsOf(daemon: Daemon): string {
  const ready = daemon.agents.filter((agent) => agent.available).map((agent) => agent.kind);
  return ready.length === 0 ? 'none' : ready.join(', ');
}
