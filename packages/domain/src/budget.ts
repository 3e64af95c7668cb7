/**
 * Budgets of contracts and tasks: how much of one is used, when a person is told, when work stops, and what
 * their answer means.
 *
 * Law: a warning at 80 %, a stop at 100 %, and only a person's word goes beyond. A budget in dollars sees only
 * what has a price.
 */
import { type Spent, readUsd, tokenSum, tokenWords, usdText } from './usage.ts';

/** Null: no limit of that kind. */
export interface Budget {
  readonly tokens: number | null;
  readonly costMicros: number | null;
}

/** As it is kept: the budget, and how far a person has let it be passed once. */
export interface BudgetRow {
  readonly budgetTokens: number | null;
  readonly budgetCostMicros: number | null;
  readonly budgetGraceTokens: number | null;
  readonly budgetGraceCostMicros: number | null;
}

export const budgetUnits = ['tokens', 'costMicros'] as const;

export type BudgetUnit = (typeof budgetUnits)[number];

export type BudgetLevel = 'within' | 'warned' | 'reached';

export const warnAtPercent = 80;

export function hasBudget(row: Pick<BudgetRow, 'budgetTokens' | 'budgetCostMicros'>): boolean {
  return row.budgetTokens !== null || row.budgetCostMicros !== null;
}

export function budgetOf(row: Pick<BudgetRow, 'budgetTokens' | 'budgetCostMicros'>): Budget {
  return { tokens: row.budgetTokens, costMicros: row.budgetCostMicros };
}

/** What it may really come to: a person may have let it go on once. */
export function limitsOf(row: BudgetRow): Budget {
  return {
    tokens: further(row.budgetTokens, row.budgetGraceTokens),
    costMicros: further(row.budgetCostMicros, row.budgetGraceCostMicros),
  };
}

/** How far a person has let it go on once; null where that is no further than the budget. */
export function letOnce(row: BudgetRow): Budget | null {
  const beyond = (limit: number | null, grace: number | null): number | null =>
    limit !== null && grace !== null && grace > limit ? grace : null;
  const tokens = beyond(row.budgetTokens, row.budgetGraceTokens);
  const costMicros = beyond(row.budgetCostMicros, row.budgetGraceCostMicros);
  return tokens === null && costMicros === null ? null : { tokens, costMicros };
}

/** `$11.20 and 1.3M tokens`. */
export function amountWords(budget: Budget): string {
  return budgetUnits
    .toReversed()
    .flatMap((unit) => (budget[unit] === null ? [] : [amount(unit, budget[unit])]))
    .join(' and ');
}

function further(limit: number | null, grace: number | null): number | null {
  return limit === null ? null : Math.max(limit, grace ?? 0);
}

export function budgetLevel(limits: Budget, spent: Spent): BudgetLevel {
  if (reachedUnits(limits, spent).length > 0) return 'reached';
  const warned = budgetUnits.some((unit) => {
    const limit = limits[unit];
    return limit !== null && usedOf(unit, spent) * 100 >= limit * warnAtPercent;
  });
  return warned ? 'warned' : 'within';
}

export function reachedUnits(limits: Budget, spent: Spent): readonly BudgetUnit[] {
  return budgetUnits.filter((unit) => {
    const limit = limits[unit];
    return limit !== null && usedOf(unit, spent) >= limit;
  });
}

export function usedOf(unit: BudgetUnit, spent: Spent): number {
  return unit === 'tokens' ? tokenSum(spent) : spent.costMicros;
}

/** `$8.10 of $10.00 (81 %) and 1.2M of 2M tokens (60 %)`; empty without a budget. */
export function budgetWords(budget: Budget, spent: Spent): string {
  const parts = budgetUnits.toReversed().flatMap((unit) => {
    const limit = budget[unit];
    if (limit === null) return [];
    const used = usedOf(unit, spent);
    return [`${amountOf(unit, used)} of ${amount(unit, limit)} (${percent(used, limit)} %)`];
  });
  return parts.join(' and ');
}

/** Rounded down: 100 % is never said before it is so. */
function percent(used: number, limit: number): number {
  return Math.min(999, Math.floor((used * 100) / limit));
}

const amountOf = (unit: BudgetUnit, value: number): string =>
  unit === 'tokens' ? tokenWords(value) : `$${usdText(value)}`;

const amount = (unit: BudgetUnit, value: number): string =>
  unit === 'tokens' ? `${tokenWords(value)} tokens` : `$${usdText(value)}`;

/** What a person may answer when a budget is used up. */
export type BudgetChoice =
  | { readonly kind: 'raise'; readonly by: Budget }
  | { readonly kind: 'once' }
  | { readonly kind: 'stop' };

const onceWords = 'Go on once';
const stopWords = 'Stop it';

/** The raise that is offered is the budget itself once more, of what is used up. */
export function budgetChoices(budget: Budget, reached: readonly BudgetUnit[]): readonly string[] {
  const by = budgetUnits.toReversed().flatMap((unit) => {
    const value = budget[unit];
    if (value === null || !reached.includes(unit)) return [];
    return [unit === 'tokens' ? `${value} tokens` : `$${usdText(value)}`];
  });
  return [`Raise by ${by.join(' and ')}`, onceWords, stopWords];
}

/** Undefined for any other words: they decide nothing. */
export function readBudgetChoice(answer: string): BudgetChoice | undefined {
  const words = answer
    .trim()
    .replace(/[.!]+$/, '')
    .toLowerCase();
  if (words === onceWords.toLowerCase()) return { kind: 'once' };
  if (words === stopWords.toLowerCase()) return { kind: 'stop' };
  const match = /^raise by (.+)$/.exec(words);
  if (match === null) return undefined;
  let by: Budget = { tokens: null, costMicros: null };
  for (const part of (match[1] ?? '').split(/\s+and\s+/)) {
    const read = readAmount(part);
    if (read === undefined || by[read.unit] !== null) return undefined;
    by = { ...by, [read.unit]: read.value };
  }
  return { kind: 'raise', by };
}

/** `$2.50`, `2.50`, `500000 tokens`, `500k tokens`, `2m tokens`. */
function readAmount(text: string): { unit: BudgetUnit; value: number } | undefined {
  const tokens = /^(\d{1,12})\s*([km]?)\s*tokens?$/.exec(text);
  if (tokens !== null) {
    const size = tokens[2] === 'k' ? 1_000 : tokens[2] === 'm' ? 1_000_000 : 1;
    return positive('tokens', Number(tokens[1]) * size);
  }
  const usd = readUsd(text.replace(/^\$\s*/, ''));
  return usd === undefined ? undefined : positive('costMicros', usd);
}

function positive(unit: BudgetUnit, value: number) {
  return value > 0 && value <= budgetMax ? { unit, value } : undefined;
}

/** So many tokens, or a billion dollars. */
export const budgetMax = 1e15;

/** Counted from what is spent where that is more than the budget: a raise is never used up already. */
export function raised(budget: Budget, spent: Spent, by: Budget): Budget {
  const unit = (one: BudgetUnit): number | null => {
    const limit = budget[one];
    const more = by[one];
    if (limit === null || more === null) return limit;
    return Math.min(budgetMax, Math.max(limit, usedOf(one, spent)) + more);
  };
  return { tokens: unit('tokens'), costMicros: unit('costMicros') };
}

/** How far it may go on once: another tenth of the budget, from where it stands. */
export function graceOf(budget: Budget, spent: Spent): Budget {
  const unit = (one: BudgetUnit): number | null => {
    const limit = budget[one];
    return limit === null ? null : usedOf(one, spent) + Math.ceil(limit / 10);
  };
  return { tokens: unit('tokens'), costMicros: unit('costMicros') };
}
