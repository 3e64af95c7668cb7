/** `makima supervisor list`: the tasks of the contract. */
import type { Shell } from '../shell.ts';
import { callVerb, contractOf, tellAnswer, type VerbOptions } from '../supervisor/verb.ts';
import { renderTable, shortIds, type Column } from '../table.ts';

interface Row {
  readonly taskId: string;
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly summary?: string;
  readonly error?: string;
}

export async function run(shell: Shell, _args: readonly [], options: VerbOptions): Promise<number> {
  const input = await contractOf(shell, options);
  const answer = await callVerb(shell, { tool: 'makima_list', input }, options);
  return tellAnswer(shell, answer, ({ tasks }) => {
    const rows = tasks as readonly Row[];
    return rows.length === 0 ? 'no tasks yet' : renderTable(columns(rows), rows, shell.screen);
  });
}

function columns(rows: readonly Row[]): readonly Column<Row>[] {
  const short = shortIds(rows.map((row) => row.taskId));
  return [
    { head: 'ID', rigid: true, cell: (row) => short(row.taskId), full: (row) => row.taskId },
    { head: 'NAME', cell: (row) => row.name },
    { head: 'STATUS', cell: (row) => row.status },
    { head: 'TRY', rigid: true, cell: (row) => String(row.attempt), drop: 1 },
    { head: 'RESULT', cell: (row) => row.error ?? row.summary ?? '', drop: 2 },
  ];
}
