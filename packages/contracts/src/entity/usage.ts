/** What was spent, on the wire: tokens by kind, and money as whole millionths of a dollar. */
import { z } from 'zod';
import { budgetMax } from '@makima/domain/budget';
import { zTime } from '../ids.ts';

export const zSpent = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWriteTokens: z.int(),
  /** In millionths of a dollar. */
  costMicros: z.int(),
  /** Some of the cost was derived from tokens and a price that the installation was told. */
  costEstimated: z.boolean(),
  /** Tokens without a price: it cost more than `costMicros`. */
  unpricedTokens: z.int(),
});

const zAmount = z.int().min(1).max(budgetMax).nullable();

/** How much may be spent: tokens of every kind, money in millionths of a dollar, or both. */
export const zBudgetInput = z
  .strictObject({ tokens: zAmount.default(null), costMicros: zAmount.default(null) })
  .refine((budget) => budget.tokens !== null || budget.costMicros !== null, {
    message: 'give tokens, costMicros or both',
  });
export type BudgetInput = z.infer<typeof zBudgetInput>;

export const zBudget = z.object({
  tokens: z.int().nullable(),
  costMicros: z.int().nullable(),
  /** Since 80 % of it is used. */
  warnedAt: zTime.nullable(),
  /** Since it is used up: nothing is started until a person lets it. */
  heldAt: zTime.nullable(),
  /** How far a person has let it go on once, beyond the budget. */
  once: z.object({ tokens: z.int().nullable(), costMicros: z.int().nullable() }).nullable(),
});
