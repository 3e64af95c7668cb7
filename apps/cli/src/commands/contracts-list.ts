/** `makima contracts list`: those that need you first. */
import type { Client } from '@makima/client/client';
import type { Contract } from '@makima/contracts/entity/contract';
import type { ContractStatus } from '@makima/domain/contract';
import { glyphOf, tintOf, wordOf } from '../attention.ts';
import { costColumn } from '../cost.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago, until } from '../time.ts';

interface Options {
  readonly status?: readonly ContractStatus[];
  readonly phase?: string;
  readonly waiting?: true;
  readonly stale?: true;
  /** Seconds. */
  readonly threshold?: number;
  readonly limit: number;
  readonly all?: true;
}

interface Page {
  readonly items: Contract[];
  readonly nextCursor: string | null;
}

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<void> {
  const page = await fetchPages(await shell.connect(), options);
  if (shell.format === 'json') {
    shell.json(page);
    return;
  }
  if (page.items.length === 0) {
    const filtered = options.status ?? options.phase ?? options.waiting ?? options.stale;
    shell.say(
      filtered === undefined
        ? 'No contracts yet. Start one:  makima run "fix the failing test" --repo .   or try  ./makima demo'
        : 'No contract is like that. All of them:  makima contracts list',
    );
    return;
  }
  if (shell.format === 'compact') {
    for (const contract of page.items) shell.print(compact(contract));
    return;
  }
  shell.print(renderTable(columns(page.items, shell.nowMs()), page.items, shell.screen));
  if (shell.screen.isTty) shell.say(footer(page));
}

async function fetchPages(client: Client, options: Options): Promise<Page> {
  const { phase, waiting, all, limit } = options;
  const items: Contract[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await client.call('listContracts', {
      query: {
        limit: all === true ? 200 : limit,
        ...filterOf(options),
        ...(phase === undefined ? {} : { phase }),
        ...(waiting === undefined ? {} : { waiting }),
        ...(after === undefined ? {} : { after }),
      },
    });
    items.push(...page.items);
    if (all !== true || page.nextCursor === null) return { items, nextCursor: page.nextCursor };
    after = page.nextCursor;
  }
}

function filterOf({ status, stale, threshold }: Options) {
  return {
    ...(status === undefined ? {} : { status: [...status] }),
    ...(stale === undefined ? {} : { stale }),
    ...(threshold === undefined ? {} : { staleMinutes: threshold / 60 }),
  };
}

/** A line for each, to be read at a glance or by `awk`. */
function compact(contract: Contract): string {
  const { slug, status, phase, attention } = contract;
  return oneLine(`${slug} ${status} ${phase} ${attention}`);
}

function columns(contracts: readonly Contract[], nowMs: number): readonly Column<Contract>[] {
  const short = shortIds(contracts.map((c) => c.id));
  const tint: Column<Contract>['tint'] = (text, c, colors) => tintOf(c.attention)(text, colors);
  return [
    { head: ' ', only: 'screen', rigid: true, cell: (c) => glyphOf(c.attention), tint },
    { head: 'ID', rigid: true, cell: (c) => short(c.id), full: (c) => c.id },
    { head: 'NAME', cell: (c) => c.slug, least: 12 },
    { head: 'STATUS', rigid: true, cell: shortStatus, full: (c) => c.status, tint },
    { head: 'ATTENTION', only: 'pipe', cell: (c) => wordOf(c.attention) },
    { head: 'PHASE', cell: (c) => c.phase, least: 7, drop: 2 },
    { head: 'NEEDS YOU', cell: (c) => needs(c, nowMs), least: 11, drop: 3 },
    { head: 'TASKS', rigid: true, cell: taskProgress, drop: 4 },
    costColumn(6),
    {
      head: 'UPDATED',
      rigid: true,
      cell: (c) => ago(c.lastActivityAt, nowMs),
      full: (c) => c.lastActivityAt,
      drop: 5,
    },
  ];
}

/** What it waits for stands in a column of its own. */
function shortStatus(contract: Contract): string {
  return contract.status === 'waiting_for_input' ? 'waiting' : contract.status;
}

function needs(contract: Contract, nowMs: number): string {
  if (contract.openQuestions > 0) {
    return `${contract.openQuestions} question${contract.openQuestions === 1 ? '' : 's'}`;
  }
  if (contract.waitingFor !== null) return contract.waitingFor.replaceAll('_', ' ');
  if (contract.attention === 'limited' && contract.limitedUntil !== null)
    return `limited -> ${until(contract.limitedUntil, nowMs)}`;
  // Something of it stands still until a person acts on a machine: the inbox says what.
  if (contract.attention === 'needs_you' && contract.status !== 'blocked') return 'see inbox';
  return contract.blockedReason ?? contract.failureReason ?? '-';
}

/** Done and merged of all. */
function taskProgress(contract: Contract): string {
  const counts = contract.taskCounts;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return `${(counts['done'] ?? 0) + (counts['merged'] ?? 0)}/${all}`;
}

function footer(page: Page): string {
  const waiting = page.items.filter((c) => c.attention === 'needs_you').length;
  const counted = `${page.items.length} contract${page.items.length === 1 ? '' : 's'}`;
  const parts = [
    waiting === 0 ? counted : `${counted}, ${waiting} need${waiting === 1 ? 's' : ''} you`,
  ];
  if (waiting > 0) parts.push('Answer: makima inbox');
  if (page.nextCursor !== null) parts.push('All: --all');
  return `${parts.join('.  ')}.`;
}
