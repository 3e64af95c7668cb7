/** `makima contracts monitor`: what happens to contracts, as it happens. */
import type { Client } from '@makima/client/client';
import { followMonitor } from '@makima/client/follow-monitor';
import type { MonitorEvent, MonitorEventType } from '@makima/contracts/entity/monitor';
import { contractStatuses, type ContractStatus } from '@makima/domain/contract';
import { exitCodes } from '../exit-code.ts';
import { allContracts, contractId } from '../find.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly status?: string;
  readonly stale?: true;
  readonly heartbeats?: true;
  readonly quiet?: true;
  readonly after?: string;
}

/** What a person wants to know even when they want to know little. */
const important: ReadonlySet<MonitorEventType> = new Set<MonitorEventType>([
  'status_changed',
  'phase_changed',
  'stale_detected',
  'question_asked',
]);

export async function run(
  shell: Shell,
  [typed]: readonly [readonly string[]],
  options: Options,
): Promise<number> {
  const statuses = options.status === undefined ? undefined : statusesOf(options.status);
  const client = await shell.connect();
  const ids = await Promise.all(typed.map((one) => contractId(client, one)));
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    if (shell.format !== 'json') await sayCounts(shell, client);
    const slugs = shell.format === 'json' ? new Map<string, string>() : await slugsOf(client);
    const events = followMonitor(client, {
      filter: {
        ...(ids.length === 0 ? {} : { contract_ids: ids }),
        ...(statuses === undefined ? {} : { statuses }),
        include_heartbeats: options.heartbeats === true,
      },
      after: options.after,
      signal: stop.signal,
      onLost: ({ attempt }) => {
        if (attempt === 1) shell.say('the server is away; waiting for it');
      },
    });
    for await (const event of events) if (isWanted(event, options)) tell(shell, event, slugs);
  } finally {
    process.off('SIGINT', interrupt);
  }
  return exitCodes.interrupted;
}

function isWanted({ type }: MonitorEvent, options: Options): boolean {
  if (options.stale === true) return type === 'stale_detected' || type === 'stale_cleared';
  return options.quiet !== true || important.has(type);
}

function statusesOf(text: string): ContractStatus[] {
  const words = text.split(',');
  const unknown = words.find((word) => !contractStatuses.some((status) => status === word));
  if (unknown === undefined) return words as ContractStatus[];
  throw usageError(`there is no status '${unknown}'`, `one of ${contractStatuses.join(', ')}`);
}

async function sayCounts(shell: Shell, client: Client): Promise<void> {
  const { statusCounts, staleContracts } = await client.call('contractsDashboard');
  const counts = Object.entries(statusCounts).map(([status, n]) => `${n} ${status}`);
  if (staleContracts.length > 0) counts.push(`${staleContracts.length} stale`);
  shell.say(counts.length === 0 ? 'No contracts yet.' : `${counts.join(', ')}.`);
}

async function slugsOf(client: Client): Promise<Map<string, string>> {
  return new Map((await allContracts(client)).map(({ id, slug }) => [id, slug]));
}

function tell(shell: Shell, event: MonitorEvent, slugs: ReadonlyMap<string, string>): void {
  if (shell.format === 'json') return shell.jsonLine(event);
  const contract = slugs.get(event.contract_id) ?? event.contract_id;
  const columns = [event.time, contract, event.type, wordsOf(event)].map(oneLine);
  shell.print(columns.join(shell.screen.isTty ? '  ' : '\t'));
}

function wordsOf(event: MonitorEvent): string {
  switch (event.type) {
    case 'status_changed':
      return `${event.old_status} to ${event.new_status}${event.reason === null ? '' : `: ${event.reason}`}`;
    case 'phase_changed':
      return `${event.old_phase} to ${event.new_phase}`;
    case 'supervisor_state_changed':
      return `${event.old_state} to ${event.new_state}`;
    case 'heartbeat':
      return `${event.state}, ${event.progress} %${event.activity === null ? '' : `: ${event.activity}`}`;
    case 'stale_detected':
      return `nothing has moved for ${Math.round(event.stale_duration_secs / 60)} minutes`;
    case 'stale_cleared':
      return 'it moves again, or rests on purpose';
    case 'task_completed':
      return `${event.task_name} ${event.success ? 'is done' : 'did not succeed'}`;
    case 'deliverable_completed':
      return `${event.deliverable_id} of ${event.phase}`;
    case 'question_asked':
      return event.question;
  }
}
