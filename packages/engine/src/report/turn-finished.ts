/**
 * An agent that might end its turn before the pause of its contract has ended it, and its process is gone.
 *
 * Law: whether the contract rests still is looked at now: one that was resumed meanwhile lets the task go on
 * at once.
 */
import { mayWork } from '@makima/domain/contract';
import { findContract } from '@makima/db/repo/contracts';
import { saveCondition } from '@makima/db/repo/supervisors';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { goOn } from '../contract/pause.ts';

/** The caller holds the task, whose row says `paused` since a moment ago. */
export async function turnFinished(a: Act, task: TaskRow): Promise<void> {
  const words = 'paused after its turn';
  a.emit('task.interrupted', {
    contractId: task.contractId,
    taskId: task.id,
    data: {
      name: task.name,
      attempt: task.currentAttempt,
      reason: words,
      isSupervisor: task.isSupervisor,
    },
  });
  if (task.isSupervisor)
    await saveCondition(a.tx, { taskId: task.id, state: 'interrupted', activity: words });
  if (task.contractId === null) return;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  // A resume locks all tasks of its contract: either it sees this one paused, or it is seen here.
  if (contract !== undefined && mayWork(contract.status) && contract.budgetHeldAt === null)
    await goOn(a, task, 'the contract was resumed');
}
