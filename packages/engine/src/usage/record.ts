/**
 * What an attempt has used so far, as its daemon tells: at the end of a turn, in the middle of one, at its
 * end, or late.
 *
 * Law: totals that only rise, whatever became of the attempt: told twice or late it counts once. The cost of an
 * attempt is its part of its conversation's; where no agent tells one, it is derived from the price of its model.
 */
import type { Usage } from '@makima/contracts/socket/reports';
import { hasBudget } from '@makima/domain/budget';
import { attemptCosts, priceFor, spentOf } from '@makima/domain/usage';
import { attemptsOf } from '@makima/db/repo/attempts';
import { findContract } from '@makima/db/repo/contracts';
import { raiseUsage, setCosts, setTaskSpent } from '@makima/db/repo/usage';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

/** The caller holds the task. */
export async function recordUsage(
  a: Act,
  of: { readonly task: TaskRow; readonly attempt: number; readonly usage: Usage | null },
): Promise<void> {
  const { task, attempt, usage } = of;
  if (usage === null) return;
  const { ownerId } = a;
  const raised = await raiseUsage(a.tx, { taskId: task.id, attempt, ...usage });
  if (raised === undefined) return;
  const attempts = await attemptsOf(a.tx, { ownerId, taskId: task.id });
  const { prices } = a.engine.settings;
  const costs = attemptCosts(attempts, (model) =>
    priceFor(prices, { model: model ?? task.model, agent: task.agent }),
  );
  await setCosts(a.tx, { taskId: task.id, costs });
  const known = new Map(costs.map((cost) => [cost.attempt, cost]));
  const spent = spentOf(attempts.map((row) => ({ ...row, ...known.get(row.attempt) })));
  await setTaskSpent(a.tx, { ownerId, taskId: task.id, spent });
  // Budgets are looked at with the contract held.
  const { contractId } = task;
  if (contractId === null || !(await mayBeUsedUp(a, task))) return;
  const fence = `used-${task.id}-${attempt}-${a.now.getTime().toString(36)}`;
  a.mail('evaluate-contract', { contractId }, { entityId: contractId, fence });
}

async function mayBeUsedUp(a: Act, task: TaskRow): Promise<boolean> {
  if (task.contractId === null || hasBudget(task)) return task.contractId !== null;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  return contract !== undefined && hasBudget(contract);
}
