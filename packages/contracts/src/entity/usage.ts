/** What was spent, on the wire: tokens by kind, and money as whole millionths of a dollar. */
import { z } from 'zod';

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
