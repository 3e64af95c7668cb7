/** `makima tasks list`: tasks of one contract, or of all that are not over. */
import type { Client } from '@makima/client/client';
import type { Contract } from '@makima/contracts/entity/contract';
import type { Task } from '@makima/contracts/entity/task';
import { costColumn } from '../cost.ts';
import { allContracts, contractId, isOver, tasksOf } from '../find.ts';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { statusWord, taskGlyph, tintTask } from '../task-sign.ts';
import { ago, until } from '../time.ts';

export async function run(shell: Shell, [typed]: readonly [string | undefined]): Promise<void> {
  const client = await shell.connect();
  const contracts =
    typed === undefined ? (await allContracts(client)).filter((c) => !isOver(c)) : [];
  const ids = await idsOf(client, typed, contracts);
  const items = await tasksOf(client, ids);
  if (shell.format === 'json') {
    shell.json({ items });
    return;
  }
  if (items.length === 0) {
    shell.say(
      typed === undefined
        ? 'No task is under way. Of an ended contract:  makima tasks list <contract>'
        : `No tasks yet.  Why: makima why ${typed}`,
    );
    return;
  }
  shell.print(renderTable(columns(items, contracts, shell.nowMs()), items, shell.screen));
}

async function idsOf(
  client: Client,
  typed: string | undefined,
  contracts: readonly Contract[],
): Promise<string[]> {
  return typed === undefined ? contracts.map((c) => c.id) : [await contractId(client, typed)];
}

function columns(
  tasks: readonly Task[],
  contracts: readonly Contract[],
  nowMs: number,
): readonly Column<Task>[] {
  const short = shortIds(tasks.map((t) => t.id));
  const slugs = new Map(contracts.map((c) => [c.id, c.slug]));
  const contract: Column<Task>[] =
    slugs.size === 0
      ? []
      : [{ head: 'CONTRACT', cell: (t) => slugs.get(t.contractId ?? '') ?? '-', drop: 1 }];
  return [
    { head: ' ', only: 'screen', rigid: true, cell: taskGlyph, tint: tintTask },
    { head: 'ID', rigid: true, cell: (t) => short(t.id), full: (t) => t.id },
    ...contract,
    { head: 'NAME', cell: (t) => `${'  '.repeat(t.depth)}${t.name}`, full: (t) => t.name },
    { head: 'STATUS', cell: statusWord, full: (t) => t.status, tint: tintTask },
    { head: 'ROLE', cell: (t) => (t.isSupervisor ? 'supervisor' : 'task'), drop: 5 },
    { head: 'AGENT', cell: (t) => t.agent, drop: 4 },
    { head: 'TRY', rigid: true, cell: (t) => String(t.attempt), drop: 3 },
    {
      head: 'AGE',
      rigid: true,
      cell: (t) => ago(t.createdAt, nowMs),
      full: (t) => t.createdAt,
      drop: 2,
    },
    costColumn(7),
    { head: 'RESULT', cell: (t) => restWords(t, nowMs) ?? resultOf(t), full: resultOf, drop: 6 },
  ];
}

const resultOf = (task: Task): string => task.errorMessage ?? task.outputSummary ?? '';

/** Until when a limit holds it says more than what it made so far. */
function restWords({ session, resumeAt }: Task, nowMs: number): string | null {
  if (session !== 'limited') return null;
  return resumeAt === null
    ? 'you decide whether it goes on'
    : `goes on at ${until(resumeAt, nowMs)}`;
}
