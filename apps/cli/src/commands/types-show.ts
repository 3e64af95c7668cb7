/** `makima types show`: what each phase of a type owes, and how it is left. */
import type { ContractTypeView } from '@makima/contracts/entity/contract-type';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';

type Phase = ContractTypeView['phases'][number];

export async function run(
  shell: Shell,
  [name]: readonly [string],
  options: { readonly at?: number },
): Promise<void> {
  const client = await shell.connect();
  const query = options.at === undefined ? {} : { version: options.at };
  const type = await client.call('getContractType', { params: { name }, query });
  if (shell.format === 'json') {
    shell.json(type);
    return;
  }
  shell.print(renderTable(columns, type.phases, shell.screen));
  if (shell.screen.isTty)
    shell.say(`${type.name}, version ${type.version}, from ${type.createdBy ?? 'makima'}`);
}

const columns: readonly Column<Phase>[] = [
  { head: 'PHASE', cell: (phase) => phase.name, least: 8 },
  { head: 'OWES', cell: owes, least: 10 },
  { head: 'TASKS', cell: ({ gate }) => tasksOf(gate), drop: 2 },
  { head: 'VALIDATOR', cell: ({ gate }) => gate.validator?.join(' ') ?? '-', drop: 1 },
  {
    head: 'BY ITSELF',
    rigid: true,
    cell: ({ gate }) => (gate.autoAdvance === false ? 'no' : 'yes'),
    drop: 3,
  },
];

function owes(phase: Phase): string {
  const all = phase.deliverables.map(({ id, required }) => (required ? id : `${id} (optional)`));
  return all.length === 0 ? '-' : all.join(', ');
}

function tasksOf({ tasks }: Phase['gate']): string {
  if (typeof tasks === 'string') return tasks;
  return 'atLeast' in tasks ? `at least ${tasks.atLeast}` : tasks.named.join(', ');
}
