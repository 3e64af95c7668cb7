/** `makima supervisor checkpoints`: what a task can be brought back to. */
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import { callVerb, given, taskOf, tellAnswer } from '../supervisor/verb.ts';
import { renderTable, type Column } from '../table.ts';

interface Row {
  readonly checkpointNumber: number;
  readonly commitSha: string;
  readonly message: string;
  readonly filesChanged: number;
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly createdAt: string;
}

const columns: readonly Column<Row>[] = [
  { head: 'NO', rigid: true, cell: (row) => String(row.checkpointNumber) },
  {
    head: 'COMMIT',
    rigid: true,
    cell: (row) => row.commitSha.slice(0, 12),
    full: (row) => row.commitSha,
  },
  { head: 'MESSAGE', cell: (row) => row.message },
  { head: 'FILES', rigid: true, cell: (row) => String(row.filesChanged), drop: 1 },
  { head: 'LINES', rigid: true, cell: (row) => `+${row.linesAdded} -${row.linesRemoved}`, drop: 2 },
  { head: 'MADE', rigid: true, cell: (row) => row.createdAt, only: 'pipe' },
];

export async function run(shell: Shell, [task]: readonly [string | undefined]): Promise<number> {
  if (task === undefined && !shell.isRun)
    throw usageError('no task is named', 'makima supervisor checkpoints <contract/task>');
  const input = given({ taskId: task === undefined ? undefined : await taskOf(shell, task) });
  const answer = await callVerb(shell, { tool: 'makima_checkpoints', input }, {});
  return tellAnswer(shell, answer, ({ checkpoints }) => {
    const rows = checkpoints as readonly Row[];
    return rows.length === 0 ? 'no checkpoints yet' : renderTable(columns, rows, shell.screen);
  });
}
