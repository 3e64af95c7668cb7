/**
 * An operation on many contracts from the command line: what it is about is shown first, and done only after a
 * yes.
 *
 * Law: without a yes nothing is changed; where nobody can give one, a command that is for doing is refused, and
 * one that shows by default (`cleanup`) stays with what was shown.
 */
import type { Client } from '@makima/client/client';
import type { BodyInputOf, ResponseOf } from '@makima/contracts/http/endpoint';
import type { batchContracts } from '@makima/contracts/http/batch';
import { oneLine } from './plain.ts';
import { confirm, type Shell } from './shell.ts';
import { renderTable, shortIds, type Column } from './table.ts';
import { ago } from './time.ts';

export type BatchBody = Omit<BodyInputOf<typeof batchContracts>, 'dry_run' | 'confirm'>;
export type BatchResult = ResponseOf<typeof batchContracts>;
type Row = BatchResult['preview'][number];

export interface BatchManner {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** The option that says yes. */
  readonly yesFlag: string;
  /** Where nobody can say yes: `refuse` with the exit code for usage, or `show` alone. */
  readonly unasked: 'refuse' | 'show';
}

/** What was done, or would be. */
export async function runBatch(
  shell: Shell,
  client: Client,
  body: BatchBody,
  manner: BatchManner,
): Promise<BatchResult> {
  const shown = await client.call('batchContracts', { body: { ...body, dry_run: true } });
  if (shown.affected_count === 0) {
    shell.say(`${body.operation}: no contract is like that.`);
    return shown;
  }
  if (shell.format !== 'json' && !manner.yes) preview(shell, shown);
  if (manner.dryRun || !(await saidYes(shell, shown, manner))) return shown;
  const done = await client.call('batchContracts', { body: { ...body, confirm: true } });
  tell(shell, done);
  return done;
}

/** Some of it failed. */
export const exitOf = (results: readonly BatchResult[]): number =>
  results.some(({ errors }) => errors.length > 0) ? 1 : 0;

async function saidYes(shell: Shell, shown: BatchResult, manner: BatchManner): Promise<boolean> {
  if (manner.yes) return true;
  const many = `${shown.affected_count} contract${shown.affected_count === 1 ? '' : 's'}`;
  if (!shell.canAsk && manner.unasked === 'show') {
    shell.say(`Nothing was done. To do it: ${manner.yesFlag}`);
    return false;
  }
  await confirm(shell, `${shown.operation} ${many}`, { yes: false });
  return true;
}

function preview(shell: Shell, { preview: rows, remaining, operation }: BatchResult): void {
  const nowMs = shell.nowMs();
  const short = shortIds(rows.map(({ id }) => id));
  const columns: Column<Row>[] = [
    { head: 'ID', rigid: true, cell: (row) => short(row.id), full: (row) => row.id },
    { head: 'NAME', cell: (row) => row.slug, least: 12 },
    { head: 'STATUS', rigid: true, cell: (row) => row.status },
    { head: 'SINCE', rigid: true, cell: (row) => ago(row.since, nowMs), full: (row) => row.since },
  ];
  shell.say(`${operation} is about:`);
  shell.print(renderTable(columns, rows, shell.screen));
  if (remaining) shell.say('There are more than one call takes: repeat it afterwards.');
}

function tell(shell: Shell, { operation, affected_count, errors, remaining }: BatchResult): void {
  if (shell.format === 'json') return;
  shell.print(
    `${operation}: ${affected_count} done${errors.length ? `, ${errors.length} not` : ''}`,
  );
  for (const { contract_id, error } of errors) shell.say(oneLine(`${contract_id}: ${error}`));
  if (remaining) shell.say('There are more: repeat it.');
}
