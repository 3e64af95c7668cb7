/** `makima directives show`: the goal, its agents, what its orders became. */
import type { DirectiveDetail } from '@makima/contracts/entity/directive';
import { renderFacts, type Fact } from '../facts.ts';
import { directiveId } from '../find-directive.ts';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { taskGlyph, tintTask } from '../task-sign.ts';
import { ago } from '../time.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const id = await directiveId(client, typed);
  const directive = await client.call('getDirective', { params: { id } });
  if (shell.format === 'json') {
    shell.json(directive);
    return;
  }
  shell.print(renderFacts(facts(directive, shell.nowMs()), shell.screen));
  if (!shell.screen.isTty) return;
  const { colors } = shell.screen;
  if (directive.tasks.length > 0) {
    shell.print(`\n${colors.bold('Agents')}`);
    shell.print(renderTable(taskColumns(directive.tasks), directive.tasks, shell.screen));
  }
  if (directive.contracts.length > 0) {
    shell.print(`\n${colors.bold('Contracts')}`);
    shell.print(renderTable(contractColumns, directive.contracts, shell.screen));
  }
  shell.say(`\nOrders: makima orders list --directive ${id.slice(0, 13)}`);
}

function facts(directive: DirectiveDetail, nowMs: number): Fact[] {
  const place = directive.localPath ?? directive.repositoryUrl;
  const base = directive.baseBranch === null ? '' : ` (${directive.baseBranch})`;
  return [
    ['title', directive.title],
    ['id', directive.id],
    ['status', directive.status],
    ['mode', directive.reconcileMode],
    ['goal', directive.goal],
    ['repository', place === null ? null : `${place}${base}`],
    ['agent', directive.agent],
    ['model', directive.model],
    ['orders', `${directive.openOrders} open`],
    ['agents', `${directive.openTasks} at work or waiting`],
    ['version', String(directive.version)],
    ['changed', `${ago(directive.updatedAt, nowMs)} ago`],
    ['created', directive.createdAt],
  ];
}

type Task = DirectiveDetail['tasks'][number];
type Contract = DirectiveDetail['contracts'][number];

function taskColumns(tasks: readonly Task[]): readonly Column<Task>[] {
  const short = shortIds(tasks.map((task) => task.id));
  return [
    { head: ' ', rigid: true, cell: taskGlyph, tint: tintTask },
    { head: 'ID', rigid: true, cell: (t) => short(t.id) },
    { head: 'NAME', cell: (t) => t.name },
    { head: 'STATUS', rigid: true, cell: (t) => t.status, tint: tintTask },
    { head: 'RESULT', cell: (t) => t.errorMessage ?? t.outputSummary ?? '', drop: 1 },
  ];
}

const contractColumns: readonly Column<Contract>[] = [
  { head: 'NAME', cell: (c) => c.slug },
  { head: 'STATUS', rigid: true, cell: (c) => c.status },
  { head: 'PHASE', rigid: true, cell: (c) => c.phase },
];
