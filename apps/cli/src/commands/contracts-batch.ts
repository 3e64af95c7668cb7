/** `makima contracts batch`: one operation on many contracts. */
import { batchOperations, type BatchOperation } from '@makima/domain/batch';
import type { ContractStatus } from '@makima/domain/contract';
import { exitOf, runBatch } from '../batch.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

interface Options {
  /** Seconds. */
  readonly olderThan?: number;
  readonly status?: readonly ContractStatus[];
  /** Seconds. */
  readonly threshold?: number;
  /** Seconds. */
  readonly finishTurn?: number;
  readonly reason?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<number> {
  const { olderThan, status, threshold, finishTurn, reason } = options;
  const body = {
    operation: known(typed),
    ...(olderThan === undefined ? {} : { older_than_hours: olderThan / 3_600 }),
    ...(status === undefined ? {} : { status_filter: [...status] }),
    ...(threshold === undefined ? {} : { stale_threshold: threshold / 60 }),
    ...(finishTurn === undefined ? {} : { finish_turn_seconds: finishTurn }),
    ...(reason === undefined ? {} : { reason }),
  };
  const result = await runBatch(shell, await shell.connect(), body, {
    yes: options.yes === true,
    dryRun: options.dryRun === true,
    yesFlag: '--yes',
    unasked: 'refuse',
  });
  if (shell.format === 'json') shell.json(result);
  return exitOf([result]);
}

/** `pause-all` is what one types, too. */
function known(typed: string): BatchOperation {
  const wanted = typed.replaceAll('-', '_');
  const found = batchOperations.find((operation) => operation === wanted);
  if (found !== undefined) return found;
  throw usageError(`there is no operation '${typed}'`, `one of: ${batchOperations.join(', ')}`);
}
