/** `makima contracts show`: where it stands, what it owes, what was kept. */
import type { ContractDetail, Deliverable } from '@makima/contracts/entity/contract';
import { spentWords } from '@makima/domain/usage';
import type { Task } from '@makima/contracts/entity/task';
import { glyphOf, tintOf, wordOf } from '../attention.ts';
import { budgetFact } from '../budget.ts';
import { renderFacts, type Fact } from '../facts.ts';
import { contractId } from '../find.ts';
import { resultOf } from '../contract-outcome.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';
import { ago, duration, until } from '../time.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly verbose?: true },
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const contract = await client.call('getContract', { params: { id } });
  const { items: tasks } = options.verbose
    ? await client.call('listContractTasks', { params: { id } })
    : { items: [] };
  if (shell.format === 'json') {
    shell.json(options.verbose ? { ...contract, tasks } : contract);
    return;
  }
  shell.print(renderFacts(facts(contract, shell.nowMs()), shell.screen));
  if (!shell.screen.isTty) {
    const piped = [...owedAndKept(contract), ...(options.verbose ? more(contract, tasks) : [])];
    if (piped.length > 0) shell.print(renderFacts(piped, shell.screen));
    return;
  }
  if (options.verbose) shell.print(renderFacts(more(contract, tasks), shell.screen));
  const { colors } = shell.screen;
  if (contract.deliverables.length > 0) {
    shell.print(`\n${colors.bold('Deliverables')}`);
    shell.print(renderTable(deliverableColumns, contract.deliverables, shell.screen));
  }
  if (contract.keptRefs.length > 0) {
    shell.print(`\n${colors.bold('Kept work')}`);
    const kept = contract.keptRefs;
    shell.print(
      renderTable<(typeof kept)[number]>(
        [
          { head: 'REF', rigid: true, cell: (k) => k.ref },
          { head: 'WHY', cell: (k) => k.why },
        ],
        kept,
        shell.screen,
      ),
    );
  }
  const word = tintOf(contract.attention)(
    `${glyphOf(contract.attention)} ${wordOf(contract.attention)}`,
    colors,
  );
  shell.say(`\n${word}.  Why: makima why ${contract.slug}   Story: makima watch ${contract.slug}`);
}

function facts(contract: ContractDetail, nowMs: number): Fact[] {
  const counts = Object.entries(contract.taskCounts).map(([status, n]) => `${n} ${status}`);
  const at = contract.phases.indexOf(contract.phase) + 1;
  return [
    ['name', contract.name],
    ['slug', contract.slug],
    ['id', contract.id],
    ['status', `${contract.status}, since ${ago(contract.statusChangedAt, nowMs)}`],
    ['waits for', contract.waitingFor?.replaceAll('_', ' ') ?? null],
    ['blocked', contract.blockedReason],
    ['failed', contract.failureReason],
    [
      'phase',
      `${contract.phase} (${at} of ${contract.phases.length}: ${contract.phases.join(', ')})`,
    ],
    ['guarded', contract.guardedPhases.join(', ')],
    ['type', contract.contractType],
    ['goal', contract.description],
    ...contract.repositories.map((repository): Fact => {
      const place = repository.localPath ?? repository.repositoryUrl ?? '';
      return [
        'repository',
        `${place}${repository.baseBranch ? ` (${repository.baseBranch})` : ''}${trustOf(repository)}`,
      ];
    }),
    ...resultOf(contract).map((line): Fact => ['result', line]),
    ['tasks', counts.join(', ')],
    ['used', spentWords(contract.usage)],
    ['budget', budgetFact(contract)],
    ['questions', contract.openQuestions === 0 ? null : `${contract.openQuestions} open`],
    ['limited', contract.limitedUntil && `until ${until(contract.limitedUntil, nowMs)}`],
    ['at a limit', contract.onLimit === 'ask' ? 'you decide whether an agent goes on' : null],
    ['parks after', parkWords(contract.parkAfterSeconds)],
    ['version', String(contract.version)],
    ['active', `${ago(contract.lastActivityAt, nowMs)} ago`],
    ['created', contract.createdAt],
  ];
}

/** In a pipe, what a terminal shows as tables: a deliverable and a piece of kept work a line. */
function owedAndKept({ deliverables, keptRefs }: ContractDetail): Fact[] {
  return [
    ...deliverables.map((d): Fact => {
      const state = d.stale ? `stale (${d.staleReason ?? ''})` : d.completed ? 'done' : 'not done';
      return ['deliverable', `${d.id}: ${state}, ${d.phase}${d.required ? '' : ', optional'}`];
    }),
    ...keptRefs.map(({ ref, why }): Fact => ['kept', `${ref}: ${why}`]),
  ];
}

/** A task and a piece of evidence a line. */
function more(contract: ContractDetail, tasks: readonly Task[]): Fact[] {
  return [
    ...tasks.map((task): Fact => ['task', `${task.name}: ${task.status}, attempt ${task.attempt}`]),
    ...contract.deliverables.flatMap((d) =>
      d.evidence.map((item): Fact => ['evidence', `${d.id}: ${JSON.stringify(item)}`]),
    ),
  ];
}

function trustOf({ trusted, trustedBy }: ContractDetail['repositories'][number]): string {
  return trusted ? `, trusted by ${trustedBy}` : '';
}

/** Nothing is said when it is as everywhere. */
function parkWords(seconds: number | null): string | null {
  if (seconds === null) return null;
  return seconds === 0 ? 'never' : `${duration(seconds * 1_000)} of waiting`;
}

const deliverableColumns: readonly Column<Deliverable>[] = [
  {
    head: ' ',
    rigid: true,
    cell: (d) => (d.stale ? '?' : d.completed ? 'v' : '.'),
    tint: (text, d, colors) =>
      d.stale ? colors.yellow(text) : d.completed ? colors.green(text) : text,
  },
  { head: 'PHASE', cell: (d) => d.phase },
  { head: 'ID', rigid: true, cell: (d) => d.id },
  { head: 'NAME', cell: (d) => d.name, drop: 2 },
  { head: 'REQUIRED', cell: (d) => (d.required ? 'yes' : 'no'), drop: 1 },
  { head: 'STALE', cell: (d) => d.staleReason ?? '', drop: 3 },
];
