/** `makima daemon list`: machines that run agents. */
import type { Daemon } from '@makima/contracts/entity/daemon';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago, until } from '../time.ts';

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
  for (const trouble of daemons.items.flatMap(troublesOf)) shell.say(trouble);
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
    { head: 'AGENTS', cell: (d) => agentsOf(d, nowMs), drop: 2 },
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

function agentsOf(daemon: Daemon, nowMs: number): string {
  const found = daemon.agents.filter(isFound).map((agent) => {
    const limit = daemon.limits.find((one) => one.agent === agent.kind);
    const text = agentText(agent);
    return limit === undefined ? text : `${text} (limited until ${until(limit.until, nowMs)})`;
  });
  return found.length === 0 ? 'none' : found.join(', ');
}

type Agent = Daemon['agents'][number];

const isFound = ({ available, version }: Agent): boolean => available || version !== null;

function agentText({ kind, version, signedIn, tested }: Agent): string {
  const name = version === null ? kind : `${kind} ${version}`;
  if (signedIn === false) return `${name} (not signed in)`;
  return tested ? name : `${name} (untested version)`;
}

/** What keeps an agent that is there from its work, with the fix that the machine tells. */
function troublesOf(daemon: Daemon): readonly string[] {
  return daemon.agents
    .filter((agent) => isFound(agent) && !agent.available && agent.note !== null)
    .map(({ kind, note }) => `${daemon.name}: ${kind}: ${oneLine(note ?? '')}`);
}
