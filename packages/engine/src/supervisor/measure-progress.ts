/**
 * How far the contract of a supervisor has come, measured from its rows where they change: a phase left, a
 * deliverable settled, a task ended (then by the look at the contract that follows it).
 *
 * Law: the caller holds the contract's lock, so that two measures come one after the other.
 */
import { progressOf } from '@makima/domain/progress';
import { lastPhaseChange } from '@makima/db/repo/contracts';
import { deliverablesOfPhase } from '@makima/db/repo/deliverables';
import { findSupervisor, setProgress } from '@makima/db/repo/supervisors';
import { tasksOfContract } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { completedOf } from '../contract/gate.ts';

export async function measureProgress(a: Act, contract: ContractRow): Promise<void> {
  const { supervisorTaskId: taskId } = contract;
  if (taskId === null) return;
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [supervisor, deliverables, tasks, since] = await Promise.all([
    findSupervisor(a.tx, { ownerId: a.ownerId, taskId }),
    deliverablesOfPhase(a.tx, { ...about, phase: contract.phase }),
    tasksOfContract(a.tx, about),
    lastPhaseChange(a.tx, about),
  ]);
  if (supervisor === undefined) return;
  const progress = progressOf({
    type: contract.contractType,
    phase: contract.phase,
    completedDeliverables: completedOf(deliverables),
    extraDeliverables: contract.extraDeliverables,
    tasks: tasks.filter((t) => !t.isSupervisor && (since === undefined || t.createdAt >= since)),
    before: supervisor.progress,
  });
  if (progress !== supervisor.progress) await setProgress(a.tx, { taskId, progress });
}
