/**
 * A budget is enough again: by a person's answer, or because it was changed. Whoever was stopped goes on in its
 * conversation.
 *
 * Law: the caller holds the contract (and the task); what rests on another account keeps resting.
 */
import { budgetOf, budgetWords } from '@makima/domain/budget';
import { mayWork } from '@makima/domain/contract';
import type { Spent } from '@makima/domain/usage';
import { setContractBudgetState, setTaskBudget } from '@makima/db/repo/budgets';
import { openQuestionsOf } from '@makima/db/repo/questions';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { syncWaiting } from '../contract/move.ts';
import { goOn, resumeTasks } from '../contract/pause.ts';
import { withdraw } from '../contract/withdraw-questions.ts';

/** Answers the contract as it is afterwards. */
export async function releaseContract(
  a: Act,
  contract: ContractRow,
  spent: Spent,
): Promise<ContractRow> {
  const set = { budgetHeldAt: null };
  const row = await setContractBudgetState(a.tx, { ownerId: a.ownerId, id: contract.id, set });
  await withdrawAsked(a, contract, null);
  const words = budgetWords(budgetOf(row), spent);
  a.emit('budget.raised', { contractId: row.id, data: { scope: 'contract', words } });
  if (mayWork(row.status)) await resumeTasks(a, row, 'the budget of its contract is enough again');
  return syncWaiting(a, row);
}

export async function releaseTask(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const set = { budgetHeldAt: null };
  const row = await setTaskBudget(a.tx, { ownerId: a.ownerId, id: task.id, set });
  await withdrawAsked(a, contract, task.id);
  const words = budgetWords(budgetOf(row), row);
  a.emit('budget.raised', {
    contractId: contract.id,
    taskId: row.id,
    data: { scope: 'task', name: row.name, words },
  });
  if (!mayWork(contract.status) || contract.budgetHeldAt !== null) return;
  if (row.status === 'paused' && row.session === 'none')
    await goOn(a, row, 'its budget is enough again');
  const fence = `budget-${a.now.getTime().toString(36)}`;
  a.mail('spawn-task', { taskId: row.id }, { entityId: row.id, fence });
}

/** Nobody needs to decide any more. */
async function withdrawAsked(a: Act, contract: ContractRow, taskId: string | null): Promise<void> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  const asked = open.filter(({ subject }) => subject?.kind === 'budget');
  for (const question of asked) {
    if (question.taskId === taskId) await withdraw(a, question, 'the budget is enough again');
  }
}
