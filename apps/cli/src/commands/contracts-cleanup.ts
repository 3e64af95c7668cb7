/** `makima contracts cleanup`: what is over is archived, deleted, and cleaned up after. */
import type { BatchOperation } from '@makima/domain/batch';
import { exitOf, runBatch, type BatchResult } from '../batch.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly archive?: true;
  readonly deleteArchived?: true;
  readonly worktrees?: true;
  readonly all?: true;
  /** Seconds. */
  readonly olderThan?: number;
  readonly dryRun?: true;
  readonly force?: true;
}

const weekSeconds = 604_800;

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<number> {
  const client = await shell.connect();
  const results: BatchResult[] = [];
  for (const operation of chosen(options)) {
    const body = { operation, older_than_hours: (options.olderThan ?? weekSeconds) / 3_600 };
    results.push(
      await runBatch(shell, client, body, {
        yes: options.force === true,
        dryRun: options.dryRun === true,
        yesFlag: '--force',
        unasked: 'show',
      }),
    );
  }
  if (shell.format === 'json') shell.json({ items: results });
  return exitOf(results);
}

/** What was archived just now is not old enough to be deleted: deleting comes first. */
function chosen(options: Options): BatchOperation[] {
  const all = options.all === true;
  const operations: BatchOperation[] = [
    ...(all || options.worktrees === true ? (['clean_worktrees'] as const) : []),
    ...(all || options.deleteArchived === true ? (['cleanup_archived'] as const) : []),
    ...(all || options.archive === true ? (['archive_old'] as const) : []),
  ];
  if (operations.length > 0) return operations;
  throw usageError('nothing was chosen', 'add --archive, --delete-archived, --worktrees or --all');
}
