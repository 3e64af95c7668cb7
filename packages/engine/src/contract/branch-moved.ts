/**
 * The contract's branch has moved by a merge (M8.5): deliverables whose evidence it left behind are stale from
 * now on. What the merge did not touch still holds, and nothing needs to be looked at again.
 *
 * Law: the gate never counts on what was: this happens in the transaction that tells of the move.
 */
import { mayWork } from '@makima/domain/contract';
import { leftBehind, type BranchMove } from '@makima/domain/evidence';
import { bumpContractVersion } from '@makima/db/repo/contracts';
import { insertBranchMove, type RepositoryPlace } from '@makima/db/repo/branch-moves';
import { deliverablesOfContract, staleDeliverable } from '@makima/db/repo/deliverables';
import type { ContractRow, DeliverableRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { voidIfChanged } from './confirmation.ts';
import { contractNow } from './finish.ts';
import { isSamePlace, shownPlace } from './shown-place.ts';
import { hasValidator } from './validator.ts';

/** The caller holds the contract's lock. */
export async function branchMoved(
  a: Act,
  contract: ContractRow,
  moved: BranchMove & { readonly operationId: string; readonly place: RepositoryPlace },
): Promise<void> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  await insertBranchMove(a.tx, {
    ...about,
    operationId: moved.operationId,
    fromSha: moved.from,
    toSha: moved.to,
    changed: [...moved.changed],
    complete: moved.complete,
  });
  const shown = await shownPlace(a.tx, contract);
  if (shown === undefined || !isSamePlace(shown, moved.place)) return;
  const stale: DeliverableRow[] = [];
  for (const row of await deliverablesOfContract(a.tx, about)) {
    const reason = reasonOf(row, moved);
    if (reason === null) continue;
    const changed = await staleDeliverable(a.tx, { ...row, reason });
    if (changed !== undefined) stale.push(changed);
  }
  for (const row of stale) {
    a.emit('deliverable.staled', {
      contractId: contract.id,
      data: {
        deliverableId: row.deliverableId,
        phase: row.phase,
        reason: row.staleReason,
        commitSha: moved.to,
      },
    });
  }
  if (stale.some((row) => row.phase === contract.phase) || hasValidator(contract))
    await shownChanged(a, contract);
}

function reasonOf(row: DeliverableRow, moved: BranchMove): string | null {
  // What was looked at after the move, but came before the word of it, speaks of what is.
  const before = row.evidence.filter((item) => item.commit !== moved.to);
  const reasons = before.flatMap((item) => leftBehind(item, [moved]) ?? []);
  return reasons.length === 0 ? null : reasons.join('; ');
}

/** A person who was asked was shown what is no more: the request is void, and the contract is looked at. */
async function shownChanged(a: Act, contract: ContractRow): Promise<void> {
  if (!mayWork(contract.status)) return;
  const version = await bumpContractVersion(a.tx, { ownerId: a.ownerId, id: contract.id });
  await voidIfChanged(a, await contractNow(a, contract.id));
  a.mail(
    'evaluate-contract',
    { contractId: contract.id },
    { entityId: contract.id, fence: `v${version}` },
  );
}
