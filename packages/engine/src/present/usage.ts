/** What was spent, as the wire shows it, from rows that have more in them. */
import type { Spent } from '@makima/domain/usage';

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
