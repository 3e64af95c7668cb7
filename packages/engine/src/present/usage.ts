/** What was spent and may be spent, as the wire shows it, from rows that have more in them. */
import type { Contract } from '@makima/contracts/entity/contract';
import { budgetOf, hasBudget, letOnce, type BudgetRow } from '@makima/domain/budget';
import type { Spent } from '@makima/domain/usage';
import type { ContractRow } from '@makima/db/rows';

export function presentSpent(of: Spent): Spent {
  return {
    inputTokens: of.inputTokens,
    outputTokens: of.outputTokens,
    cacheReadTokens: of.cacheReadTokens,
    cacheWriteTokens: of.cacheWriteTokens,
    costMicros: of.costMicros,
    costEstimated: of.costEstimated,
    unpricedTokens: of.unpricedTokens,
  };
}

type HeldBudgetRow = Pick<ContractRow, keyof BudgetRow | 'budgetWarnedAt' | 'budgetHeldAt'>;

export function presentBudget(row: HeldBudgetRow): Contract['budget'] {
  if (!hasBudget(row)) return null;
  return {
    ...budgetOf(row),
    warnedAt: row.budgetWarnedAt?.toISOString() ?? null,
    heldAt: row.budgetHeldAt?.toISOString() ?? null,
    once: letOnce(row),
  };
}
