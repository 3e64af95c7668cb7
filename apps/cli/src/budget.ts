/** Budgets as they are typed, sent and shown. */
import type { BudgetInput } from '@makima/contracts/entity/usage';
import { amountWords, budgetWords, type Budget } from '@makima/domain/budget';
import type { Spent } from '@makima/domain/usage';

export interface BudgetOptions {
  /** In millionths of a dollar. */
  readonly budget?: number;
  readonly budgetTokens?: number;
}

/** Undefined when nothing was typed. */
export function budgetGiven({ budget, budgetTokens }: BudgetOptions): BudgetInput | undefined {
  if (budget === undefined && budgetTokens === undefined) return undefined;
  return { costMicros: budget ?? null, tokens: budgetTokens ?? null };
}

/** `$8.10 of $10.00 (81 %)`, and that it is used up, or how far it may go on once. */
export function budgetFact(of: {
  readonly budget:
    | (Budget & { readonly heldAt: string | null; readonly once: Budget | null })
    | null;
  readonly usage: Spent;
}): string | null {
  if (of.budget === null) return null;
  const words = budgetWords(of.budget, of.usage);
  const { heldAt, once } = of.budget;
  if (heldAt !== null) return `${words}: used up, you decide (makima inbox)`;
  return once === null ? words : `${words}; let go on once, to ${amountWords(once)}`;
}
