/** `makima types list`: the newest version of every contract type. */
import type { ContractTypeView } from '@makima/contracts/entity/contract-type';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';

export async function run(shell: Shell): Promise<void> {
  const client = await shell.connect();
  const page = await client.call('listContractTypes', {});
  if (shell.format === 'json') shell.json(page);
  else shell.print(renderTable(columns, page.items, shell.screen));
}

const columns: readonly Column<ContractTypeView>[] = [
  { head: 'NAME', cell: (type) => type.name, least: 8 },
  { head: 'VERSION', rigid: true, cell: (type) => String(type.version) },
  { head: 'FROM', cell: (type) => type.createdBy ?? 'makima', drop: 1 },
  {
    head: 'PHASES',
    cell: (type) => type.phases.map((phase) => phase.name).join(' > '),
    least: 16,
  },
];
