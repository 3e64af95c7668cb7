/** `states.md`: the transition tables, and the phases of the built-in contract types. */
import {
  checkContractTransition,
  contractTransitions,
  type ContractFacts,
  type ContractStatus,
} from '@makima/domain/contract';
import { builtinTypes, type PhaseDefinition } from '@makima/domain/contract-type';
import { questionTransitions } from '@makima/domain/question';
import { supervisorTransitions } from '@makima/domain/supervisor';
import { attemptTransitions, isTaskComplete, taskTransitions, waitEnds } from '@makima/domain/task';
import type { TaskStatus } from '@makima/domain/task';
import type { ActorKind } from '@makima/domain/verdict';
import { code, codes, page, table } from '../markdown.ts';

const folder = 'packages/domain/src';

export function statesPage(): string {
  return page(
    'States',
    ['contract', 'task', 'supervisor', 'question', 'contract-type'].map(
      (name) => `${folder}/${name}.ts`,
    ),
    [
      'Nobody writes a status that these tables do not allow; triggers in the database refuse a step of a contract that is not in its table, and whatever would leave an end again. To stay what one is counts as no step for a supervisor, and is refused for the others.',
      '## Contract',
      contractTable(),
      '## Task',
      table(
        ['from', 'to', 'ends a wait', 'counts as done'],
        entriesOf(taskTransitions).map(([from, to]) => [
          code(from),
          nextOnes(to),
          waitEnds(from as TaskStatus) ? 'yes' : '',
          isTaskComplete(from as TaskStatus) ? 'yes' : '',
        ]),
      ),
      '## Attempt',
      plainTable(attemptTransitions),
      '## Supervisor',
      plainTable(supervisorTransitions),
      '## Question',
      plainTable(questionTransitions),
      '## Phases of the built-in contract types',
      ...Object.values(builtinTypes).map(({ name, phases }) =>
        [
          `### ${name}`,
          '',
          table(
            ['phase', 'owes', 'its tasks must be'],
            phases.map((phase) => [code(phase.name), owed(phase), tasksOf(phase)]),
          ),
        ].join('\n'),
      ),
    ],
  );
}

type Table = Readonly<Record<string, readonly string[]>>;

function entriesOf(transitions: Table): [string, readonly string[]][] {
  return Object.entries(transitions);
}

function plainTable(transitions: Table): string {
  return table(
    ['from', 'to'],
    entriesOf(transitions).map(([from, to]) => [code(from), nextOnes(to)]),
  );
}

function nextOnes(to: readonly string[]): string {
  return to.length === 0 ? 'nothing: it is final' : codes(to);
}

/** Everything speaks for the step. */
const willing: ContractFacts = {
  by: 'person',
  hasSupervisorTask: true,
  openQuestions: 0,
  terminalPhase: true,
  gateMet: true,
  completionConfirmed: true,
  graceOver: true,
};

/** Nothing does: the sentence of the refusal is the condition. */
const unwilling: ContractFacts = {
  by: 'person',
  hasSupervisorTask: false,
  openQuestions: 0,
  terminalPhase: false,
  gateMet: false,
  completionConfirmed: false,
  graceOver: false,
};

function contractTable(): string {
  const rows = (Object.keys(contractTransitions) as ContractStatus[]).flatMap((from) =>
    contractTransitions[from].map((to) => [
      code(from),
      code(to),
      whoMay(from, to),
      conditions(from, to),
    ]),
  );
  return table(['from', 'to', 'who', 'is refused with'], rows);
}

/** With facts that allow the step to somebody: who it is that may take it. */
function whoMay(from: ContractStatus, to: ContractStatus): string {
  const needed = { ...willing, openQuestions: to === 'waiting_for_input' ? 1 : 0, blocker: 'it' };
  const kinds: readonly ActorKind[] = ['person', 'system', 'agent'];
  const able = kinds.filter((by) => {
    const verdict = checkContractTransition(from, to, { ...needed, by, gateMet: to !== 'active' });
    return verdict.ok || verdict.kind !== 'actor';
  });
  return able.length === kinds.length ? 'anybody' : able.join(', ');
}

/** The distinct refusals of a step, asked with what may stand in its way. */
function conditions(from: ContractStatus, to: ContractStatus): string {
  const probes: readonly ContractFacts[] = [
    unwilling,
    { ...unwilling, terminalPhase: true },
    { ...unwilling, terminalPhase: true, gateMet: true },
    { ...willing, openQuestions: 1 },
    { ...willing, openConfirmation: 'phase_confirmation' },
    { ...willing, by: 'system', blocker: '...' },
    { ...willing, by: 'system' },
  ];
  const reasons = probes.flatMap((facts) => {
    const verdict = checkContractTransition(from, to, facts);
    return verdict.ok || verdict.kind !== 'condition' ? [] : [verdict.reason];
  });
  return [...new Set(reasons)].join(' ');
}

function owed({ deliverables }: PhaseDefinition): string {
  return deliverables
    .map(({ id, required }) => (required ? code(id) : `${code(id)} (optional)`))
    .join(', ');
}

function tasksOf({ gate: { tasks } }: PhaseDefinition): string {
  if (typeof tasks === 'string')
    return { none: '', settled: 'none under way', all_complete: 'all complete' }[tasks];
  return 'atLeast' in tasks ? `at least ${tasks.atLeast} complete` : codes(tasks.named);
}
