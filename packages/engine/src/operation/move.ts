/**
 * The move of a contract's branch that the report of a merge tells of: taken when it begins where the branch
 * stands, refused when the machine merged into an older copy.
 *
 * Law: the contract is locked before all else, since the move may change what its deliverables show; a merge
 * whose move is refused did not happen, and is ordered again.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { contractBranch } from '@makima/domain/branch';
import { stepOf } from '@makima/domain/branch-head';
import { lastMoveAt } from '@makima/db/repo/branch-moves';
import { dropPatchParts } from '@makima/db/repo/checkpoints';
import { lockContract } from '@makima/db/repo/contracts';
import { findOperation } from '@makima/db/repo/operations';
import { findTask } from '@makima/db/repo/tasks';
import type { Act } from '../context.ts';
import { branchMoved } from '../contract/branch-moved.ts';

type Finished = ReportOf<'operation.finished'>;

/** `take` is called when the operation's row is finished. */
export type Move = { readonly take: () => Promise<void> } | 'astray' | 'none';

export async function moveOf(a: Act, report: Finished): Promise<Move> {
  const { ownerId } = a;
  const row = await findOperation(a.tx, { ownerId, id: report.operationId });
  if (row?.kind !== 'branch.merge' || row.contractId === null) return 'none';
  const contract = await lockContract(a.tx, { ownerId, id: row.contractId, strength: 'update' });
  const { result } = report;
  if (contract === undefined || !report.ok || result?.kind !== 'branch.merge') return 'none';
  if (row.request['targetBranch'] !== contractBranch(contract.slug)) return 'none';
  const { moved, commitSha: to } = result;
  if (moved === undefined || to === null || moved.from === to) return 'none';
  const place = row.taskId === null ? undefined : await findTask(a.tx, { ownerId, id: row.taskId });
  if (place === undefined) return 'none';
  const known = await lastMoveAt(a.tx, { ownerId, contractId: contract.id, place });
  if (known?.toSha === to) return 'none';
  const step = stepOf(known?.toSha ?? null, { ...moved, to });
  if (step === null) return 'astray';
  return {
    async take() {
      await branchMoved(a, contract, { ...step, operationId: row.id, place });
      // What came with this move has all that came before.
      if (known !== undefined)
        await dropPatchParts(a.tx, { ownerId, operationId: known.operationId });
    },
  };
}

/** The report as if the machine had refused. */
export function strayed(report: Finished): Finished {
  return {
    ...report,
    ok: false,
    result: null,
    error: {
      code: 'CONFLICT',
      message: 'the machine merged into an older copy of the contract’s branch, which has moved on',
      fix: 'merge it again: it is merged where the branch stands now',
      retryable: true,
      details: { reason: 'branch_moved' },
    },
  };
}
