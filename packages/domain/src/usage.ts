/**
 * What agents use: tokens, and money as whole micro-dollars. How a conversation's total becomes an attempt's
 * part, how a price is derived where none is told, and how it all adds up.
 *
 * Law: money is whole micro-dollars, never a float that is added up; what is derived says so, what is missing
 * says so.
 */

export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** What was spent, of attempts, tasks or contracts: sums of the same kind. */
export interface Spent extends Tokens {
  readonly costMicros: number;
  /** Some of the cost was derived from tokens. */
  readonly costEstimated: boolean;
  /** Tokens without a price: it cost more than `costMicros` says. */
  readonly unpricedTokens: number;
}

/** What is known of one attempt. */
export interface AttemptUsage extends Tokens {
  readonly attempt: number;
  /** The conversation that it continued; null when unknown. */
  readonly sessionId: string | null;
  /** What the agent said that its whole conversation has cost; null when it tells no price. */
  readonly conversationCostMicros: number | null;
  /** The least above nothing that it said so in this attempt; null when it said none. */
  readonly conversationLowMicros: number | null;
  /** As the agent calls it; null when it did not say. */
  readonly model: string | null;
}

export interface AttemptCost {
  readonly attempt: number;
  /** Null: no price is known. */
  readonly costMicros: number | null;
  readonly costEstimated: boolean;
}

/**
 * What each attempt of a task has cost: its part of what its conversation has cost, else derived from its
 * tokens. An attempt that has ever told less than the one before it: its agent counts anew, however much it
 * tells later.
 */
export function attemptCosts(
  attempts: readonly AttemptUsage[],
  priceOf: (model: string | null) => Price | undefined,
): readonly AttemptCost[] {
  const before = new Map<string, number>();
  return attempts
    .toSorted((a, b) => a.attempt - b.attempt)
    .map((one) => {
      const { attempt, conversationCostMicros: total } = one;
      const price = priceOf(one.model);
      // Of a model whose price they do not know some agents say 0.
      const isTold = total !== null && (total > 0 || price === undefined);
      if (isTold) {
        const session = one.sessionId ?? `attempt ${attempt}`;
        const known = before.get(session) ?? 0;
        before.set(session, total);
        return { attempt, costMicros: costRise(one, total, known), costEstimated: false };
      }
      if (price === undefined || tokenSum(one) === 0)
        return { attempt, costMicros: null, costEstimated: false };
      return { attempt, costMicros: derivedMicros(one, price), costEstimated: true };
    });
}

function costRise(
  { conversationLowMicros }: AttemptUsage,
  totalMicros: number,
  beforeMicros: number,
): number {
  const isAnew = (conversationLowMicros ?? totalMicros) < beforeMicros;
  return isAnew ? totalMicros : totalMicros - beforeMicros;
}

/** The sum over the attempts of a task. */
export function spentOf(attempts: readonly (Tokens & Omit<AttemptCost, 'attempt'>)[]): Spent {
  return attempts.reduce<Spent>(
    (sum, one) => ({
      inputTokens: sum.inputTokens + one.inputTokens,
      outputTokens: sum.outputTokens + one.outputTokens,
      cacheReadTokens: sum.cacheReadTokens + one.cacheReadTokens,
      cacheWriteTokens: sum.cacheWriteTokens + one.cacheWriteTokens,
      costMicros: sum.costMicros + (one.costMicros ?? 0),
      costEstimated: sum.costEstimated || one.costEstimated,
      unpricedTokens: sum.unpricedTokens + (one.costMicros === null ? tokenSum(one) : 0),
    }),
    nothingSpent,
  );
}

export const nothingSpent: Spent = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costMicros: 0,
  costEstimated: false,
  unpricedTokens: 0,
};

/** Micro-dollars for a million tokens of each kind. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** By the beginning of a model's name, else by the kind of agent; the longest beginning wins. */
export function priceFor(
  prices: ReadonlyMap<string, Price>,
  of: { readonly model: string | null; readonly agent: string },
): Price | undefined {
  const { model, agent } = of;
  const fits = model === null ? [] : [...prices.keys()].filter((name) => model.startsWith(name));
  const [best] = fits.toSorted((a, b) => b.length - a.length);
  return prices.get(best ?? agent);
}

const million = 1_000_000n;

export function derivedMicros(tokens: Tokens, price: Price): number {
  const sum =
    BigInt(tokens.inputTokens) * BigInt(price.input) +
    BigInt(tokens.outputTokens) * BigInt(price.output) +
    BigInt(tokens.cacheReadTokens) * BigInt(price.cacheRead) +
    BigInt(tokens.cacheWriteTokens) * BigInt(price.cacheWrite);
  return Number((sum + million / 2n) / million);
}

export function tokenSum(of: Tokens): number {
  return of.inputTokens + of.outputTokens + of.cacheReadTokens + of.cacheWriteTokens;
}

/** `12.5` and the like, at most six decimals; undefined for anything else, also for nothing and too much. */
export function readUsd(text: string): number | undefined {
  const match = /^(\d{1,7})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'));
}

/** `12.4k tokens, est. $0.42`; a cost that is not known says so. Null when nothing was spent. */
export function spentWords(spent: Spent): string | null {
  const tokens = tokenSum(spent);
  if (tokens === 0 && spent.costMicros === 0) return null;
  return `${tokenWords(tokens)} tokens, ${costWords(spent)}`;
}

/** `$0.42`, `est. $0.42`, `over $0.42` when some tokens have no price, `cost unknown` when none has one. */
export function costWords(spent: Spent): string {
  if (spent.costMicros === 0 && spent.unpricedTokens > 0) return 'cost unknown';
  const usd = `$${shortUsd(spent.costMicros)}`;
  const over = spent.unpricedTokens > 0 ? `over ${usd}` : usd;
  return spent.costEstimated ? `est. ${over}` : over;
}

/** `950`, `12.4k`, `3.1M`: cut, never rounded up. */
export function tokenWords(tokens: number): string {
  if (tokens < 1_000) return String(tokens);
  const [unit, size] = tokens < 1_000_000 ? ['k', 1_000] : ['M', 1_000_000];
  return `${Math.floor((tokens * 10) / (size as number)) / 10}${unit}`;
}

/** Cents, but for what is smaller than a few of them. */
function shortUsd(micros: number): string {
  if (micros === 0 || micros >= 100_000) return (Math.round(micros / 10_000) / 100).toFixed(2);
  return usdText(Math.max(100, Math.round(micros / 100) * 100));
}

/** Whole micro-dollars as decimal text, with two decimals at least: `0.0435`, `12.50`. */
export function usdText(micros: number): string {
  const whole = Math.floor(micros / 1_000_000);
  const rest = String(micros % 1_000_000).padStart(6, '0');
  return `${whole}.${rest.slice(0, 2)}${rest.slice(2).replace(/0+$/, '')}`;
}
