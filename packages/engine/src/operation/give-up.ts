/**
 * Merges that were ordered from a machine which has the contract's branch no more: they end here, so that the branch
 * has one machine that moves it at a time.
 *
 * Law: whoever waits is answered, and whoever ordered it beforehand is told; what that machine tells later is too
 * late.
 */
import { channels } from '@makima/contracts/channels';
import { contractBranch } from '@makima/domain/branch';
import { dropPatchParts } from '@makima/db/repo/checkpoints';
import { failMergesElsewhere, packsFor } from '@makima/db/repo/operations';
import type { ContractRow, OperationRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { tellFailedAction } from '../task/failed-action.ts';
import { wordsOf } from './words.ts';

/** The caller holds the contract. */
export async function endMergesElsewhere(
  a: Act,
  contract: ContractRow,
  daemonId: string,
): Promise<void> {
  const failed = await failMergesElsewhere(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    targetBranch: contractBranch(contract.slug),
    daemonId,
    error: movedAway,
  });
  for (const merge of failed) {
    tellFinished(a, merge);
    await dropPacks(a, merge);
    await tellFailedAction(a, merge);
  }
}

const movedAway = {
  code: 'CONFLICT',
  message: 'the contract’s branch is on another machine by now, and this merge was not told of',
  fix: 'merge it again: it is merged where the branch is',
  retryable: true,
  details: { reason: 'branch_elsewhere' },
};

/** It failed without a report. */
export function tellFinished(a: Act, failed: OperationRow): void {
  a.emit('operation.finished', {
    contractId: failed.contractId,
    taskId: failed.taskId,
    data: {
      operationId: failed.id,
      kind: failed.kind,
      ok: false,
      error: wordsOf(failed.error),
      summary: null,
    },
  });
  a.hint(channels.operationDone(failed.id));
}

/** The merge is over, however: what was sent for it is of no more use. */
export async function dropPacks(a: Act, merge: OperationRow): Promise<void> {
  const { ownerId } = a;
  await dropPatchParts(a.tx, { ownerId, operationId: merge.id });
  await dropSent(a, merge);
}

/** What another machine sent to be merged. */
export async function dropSent(a: Act, merge: OperationRow): Promise<void> {
  const { ownerId } = a;
  for (const sending of await packsFor(a.tx, { ownerId, mergeOperationId: merge.id }))
    await dropPatchParts(a.tx, { ownerId, operationId: sending.id });
}
