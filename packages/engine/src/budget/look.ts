/**
 * Look at the budgets of a contract and of its tasks after something was used or a budget was changed: most of
 * one is used, one is used up, or one is enough again.
 *
 * Law: runs any number of times, with the contract's row held; what is told already is seen in the rows. A
 * contract that is about to end spends no more, and is asked nothing.
 */
import { type BudgetLevel, budgetLevel, hasBudget, limitsOf } from '@makima/domain/budget';
import type { ContractStatus } from '@makima/domain/contract';
import { nothingSpent, type Spent } from '@makima/domain/usage';
import { lockLiveAttempts } from '@makima/db/repo/attempts';
import { budgetedTasks, setContractBudgetState, setTaskBudget } from '@makima/db/repo/budgets';
import { lockTasks } from '@makima/db/repo/tasks';
import { spentOfContracts } from '@makima/db/repo/usage';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { holdContract, holdTask } from './hold.ts';
import { releaseContract, releaseTask } from './release.ts';
import { warnOfContract, warnOfTask } from './warn.ts';

const spending: readonly ContractStatus[] = [
  'created',
  'active',
  'waiting_for_input',
  'paused',
  'blocked',
];

/** Answers the contract as it is afterwards. */
export async function lookAtBudgets(a: Act, contract: ContractRow): Promise<ContractRow> {
  if (!spending.includes(contract.status)) return contract;
  const row = await lookAtContract(a, contract);
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const ids = (await budgetedTasks(a.tx, about)).map((task) => task.id);
  if (ids.length === 0) return row;
  const tasks = await lockTasks(a.tx, { ownerId: a.ownerId, ids });
  await lockLiveAttempts(a.tx, { ownerId: a.ownerId, taskIds: ids });
  for (const task of tasks) await lookAtTask(a, row, task);
  return row;
}

/** What the whole contract has spent. */
export async function spentOf(a: Act, contract: ContractRow): Promise<Spent> {
  const { ownerId } = a;
  const spent = await spentOfContracts(a.tx, { ownerId, contractIds: [contract.id] });
  return spent.get(contract.id) ?? nothingSpent;
}

async function lookAtContract(a: Act, contract: ContractRow): Promise<ContractRow> {
  if (!hasBudget(contract) && !isNoted(contract)) return contract;
  const spent = await spentOf(a, contract);
  const level = budgetLevel(limitsOf(contract), spent);
  if (level === 'reached')
    return contract.budgetHeldAt === null ? holdContract(a, contract, spent) : contract;
  const row = contract.budgetHeldAt === null ? contract : await releaseContract(a, contract, spent);
  if (!isNews(level, row)) return row;
  const set = { budgetWarnedAt: level === 'warned' ? a.now : null };
  if (level === 'warned') warnOfContract(a, row, spent);
  return setContractBudgetState(a.tx, { ownerId: a.ownerId, id: row.id, set });
}

async function lookAtTask(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const level = budgetLevel(limitsOf(task), task);
  if (level === 'reached') {
    if (task.budgetHeldAt === null) await holdTask(a, contract, task);
    return;
  }
  if (task.budgetHeldAt !== null) await releaseTask(a, contract, task);
  if (!isNews(level, task)) return;
  const set = { budgetWarnedAt: level === 'warned' ? a.now : null };
  await setTaskBudget(a.tx, { ownerId: a.ownerId, id: task.id, set });
  if (level === 'warned') await warnOfTask(a, contract, task);
}

type Noted = Pick<ContractRow, 'budgetWarnedAt' | 'budgetHeldAt'>;

const isNoted = (row: Noted): boolean => row.budgetWarnedAt !== null || row.budgetHeldAt !== null;

const isNews = (level: BudgetLevel, row: Noted): boolean =>
  (level === 'warned') !== (row.budgetWarnedAt !== null);
