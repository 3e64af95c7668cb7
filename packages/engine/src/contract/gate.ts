/** The facts of a contract's gate, read from rows, and what a person would be shown of them. */
import { createHash } from 'node:crypto';
import { confirmationDigest } from '@makima/domain/phase-change';
import { readiness, type Readiness } from '@makima/domain/gate';
import { deliverablesOfPhase } from '@makima/db/repo/deliverables';
import { tasksOfContract } from '@makima/db/repo/tasks';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, DeliverableRow } from '@makima/db/rows';
import { validationOf, type Validation } from './validator.ts';

export interface Gate {
  readonly readiness: Readiness;
  readonly deliverables: readonly DeliverableRow[];
  readonly validation: Validation | undefined;
}

export async function gateOf(db: Queryable, contract: ContractRow): Promise<Gate> {
  const about = { ownerId: contract.ownerId, contractId: contract.id };
  const [deliverables, tasks, validation] = await Promise.all([
    deliverablesOfPhase(db, { ...about, phase: contract.phase }),
    tasksOfContract(db, about),
    validationOf(db, contract),
  ]);
  return {
    deliverables,
    validation,
    readiness: readiness({
      type: contract.contractType,
      phase: contract.phase,
      completedDeliverables: completedOf(deliverables),
      extraDeliverables: contract.extraDeliverables,
      tasks: tasks.map((task) => ({
        name: task.name,
        status: task.status,
        isSupervisor: task.isSupervisor,
      })),
      validator: validation?.result,
    }),
  };
}

/** As the domain asks for them. */
export const completedOf = (
  rows: readonly DeliverableRow[],
): { readonly id: string; readonly stale: string | null }[] =>
  rows.map((row) => ({ id: row.deliverableId, stale: row.staleReason }));

/** What a confirmation is bound to: version, phases and the deliverables with their evidence. */
export function digestOf(
  contract: ContractRow,
  to: string,
  deliverables: readonly DeliverableRow[],
): string {
  const text = confirmationDigest({
    version: contract.version,
    from: contract.phase,
    to,
    deliverables: deliverables.map((row) => ({ id: row.deliverableId, evidence: row.evidence })),
  });
  return createHash('sha256').update(text).digest('hex');
}

export function shownOf(deliverables: readonly DeliverableRow[]): Record<string, unknown>[] {
  return deliverables.map((row) => ({
    id: row.deliverableId,
    completedBy: row.completedBy,
    completedAt: row.completedAt.toISOString(),
    evidence: row.evidence,
    ...(row.staleReason === null ? {} : { staleReason: row.staleReason }),
  }));
}
