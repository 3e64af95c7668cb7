/** `makima contracts heartbeats`: what its supervisor did over the last day, newest first. */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { supervisorHeartbeats } from '@makima/contracts/http/supervisor';
import { contractId } from '../find.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';

type Heartbeat = ResponseOf<typeof supervisorHeartbeats>['heartbeats'][number];

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly limit: number },
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const { limit } = options;
  const answer = await client.call('supervisorHeartbeats', { params: { id }, query: { limit } });
  if (shell.format === 'json') shell.json(answer);
  else if (answer.heartbeats.length === 0) shell.say('No heartbeat was kept in the last 24 hours.');
  else shell.print(renderTable(columns, answer.heartbeats, shell.screen));
}

const columns: readonly Column<Heartbeat>[] = [
  { head: 'TIME', cell: (beat) => beat.timestamp },
  { head: 'STATE', cell: (beat) => beat.state },
  { head: 'PHASE', cell: (beat) => oneLine(beat.phase) },
  { head: 'PROGRESS', cell: (beat) => `${beat.progress}%` },
  { head: 'WAITS FOR', cell: (beat) => String(beat.pending_task_ids.length) },
  { head: 'ACTIVITY', cell: (beat) => oneLine(beat.activity ?? '-') },
];
