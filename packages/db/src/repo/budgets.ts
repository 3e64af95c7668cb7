/** Where the budgets of contracts and tasks stand. The caller holds the row that it writes. */
import type { Queryable, Tx } from '../client.ts';
import type { ContractRow, TaskRow } from '../rows.ts';

export type BudgetState = Partial<
  Pick<
    ContractRow,
    'budgetGraceTokens' | 'budgetGraceCostMicros' | 'budgetWarnedAt' | 'budgetHeldAt'
  >
>;

/** Not a change that anybody expects a version of: the budget itself is a setting. */
export async function setContractBudgetState(
  tx: Tx,
  args: { ownerId: string; id: string; set: BudgetState },
): Promise<ContractRow> {
  const [row] = await tx<ContractRow[]>`
    update contracts set ${tx(args.set as never)}
     where owner_id = ${args.ownerId} and id = ${args.id} returning *`;
  return row as ContractRow;
}

export async function setTaskBudget(
  tx: Tx,
  args: {
    ownerId: string;
    id: string;
    set: BudgetState & Partial<Pick<TaskRow, 'budgetTokens' | 'budgetCostMicros'>>;
  },
): Promise<TaskRow> {
  const [row] = await tx<TaskRow[]>`
    update tasks set ${tx(args.set as never)}, version = version + 1
     where owner_id = ${args.ownerId} and id = ${args.id} returning *`;
  return row as TaskRow;
}

/** Of which most is used, while work goes on. */
export async function warnedContracts(
  db: Queryable,
  args: { ownerId: string; limit: number },
): Promise<ContractRow[]> {
  return db<ContractRow[]>`
    select * from contracts where owner_id = ${args.ownerId} and budget_warned_at is not null
       and budget_held_at is null and status in ('created', 'active', 'waiting_for_input', 'paused', 'blocked')
     order by budget_warned_at limit ${args.limit}`;
}

/** Tasks with a budget of their own that are not over. */
export async function budgetedTasks(
  db: Queryable,
  args: { ownerId: string; contractId: string },
): Promise<TaskRow[]> {
  return db<TaskRow[]>`
    select * from tasks where owner_id = ${args.ownerId} and contract_id = ${args.contractId}
       and (budget_tokens is not null or budget_cost_micros is not null)
       and status not in ('done', 'failed', 'merged', 'cancelled') order by id`;
}
