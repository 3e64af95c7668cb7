/** Deliverables with their evidence. */
import type { Evidence } from '@makima/domain/evidence';
import type { Queryable, Tx } from '../client.ts';
import type { DeliverableRow } from '../rows.ts';

/** Mark a deliverable done, or renew its evidence; `staleReason` when the branch moved while it was shown. */
export async function putDeliverable(
  tx: Tx,
  row: {
    ownerId: string;
    contractId: string;
    phase: string;
    deliverableId: string;
    evidence: readonly Evidence[];
    completedBy: string;
    staleReason: string | null;
  },
): Promise<DeliverableRow> {
  const [made] = await tx<DeliverableRow[]>`
    insert into deliverables (owner_id, contract_id, phase, deliverable_id, evidence, completed_by, stale_since, stale_reason)
    values (${row.ownerId}, ${row.contractId}, ${row.phase}, ${row.deliverableId}, ${tx.json(row.evidence as never)}, ${row.completedBy},
            ${row.staleReason === null ? null : tx`clock()`}, ${row.staleReason})
    on conflict (contract_id, phase, deliverable_id)
      do update set evidence = excluded.evidence, completed_by = excluded.completed_by, completed_at = clock(),
                    stale_since = excluded.stale_since, stale_reason = excluded.stale_reason
    returning *`;
  return made as DeliverableRow;
}

/** Fenced by holding until now: it becomes stale once. */
export async function staleDeliverable(
  tx: Tx,
  row: Pick<DeliverableRow, 'ownerId' | 'contractId' | 'phase' | 'deliverableId'> & {
    reason: string;
  },
): Promise<DeliverableRow | undefined> {
  const [changed] = await tx<DeliverableRow[]>`
    update deliverables set stale_since = clock(), stale_reason = ${row.reason}
     where owner_id = ${row.ownerId} and contract_id = ${row.contractId} and phase = ${row.phase}
       and deliverable_id = ${row.deliverableId} and stale_since is null returning *`;
  return changed;
}

export async function deliverablesOfPhase(
  db: Queryable,
  args: { ownerId: string; contractId: string; phase: string },
): Promise<DeliverableRow[]> {
  return db<DeliverableRow[]>`
    select * from deliverables where owner_id = ${args.ownerId} and contract_id = ${args.contractId} and phase = ${args.phase} order by deliverable_id`;
}

export async function deliverablesOfContract(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<DeliverableRow[]> {
  return db<DeliverableRow[]>`
    select * from deliverables where owner_id = ${args.ownerId} and contract_id = ${args.contractId} order by completed_at`;
}
