/** When a budget warns and stops, how it reads, and what an answer means. */
import { describe, expect, it } from 'vitest';
import {
  amountWords,
  budgetChoices,
  budgetLevel,
  budgetMax,
  budgetOf,
  budgetWords,
  graceOf,
  hasBudget,
  letOnce,
  limitsOf,
  raised,
  reachedUnits,
  readBudgetChoice,
} from './budget.ts';
import { nothingSpent } from './usage.ts';

const none = { tokens: null, costMicros: null };
const both = { tokens: 1_000, costMicros: 10_000_000 };
const spent = (outputTokens: number, costMicros: number) => ({
  ...nothingSpent,
  outputTokens,
  costMicros,
});
const row = {
  budgetTokens: 1_000,
  budgetCostMicros: null,
  budgetGraceTokens: null,
  budgetGraceCostMicros: null,
};

describe('the level of a budget', () => {
  it.each([
    [799, 0, 'within', []],
    [800, 0, 'warned', []],
    [0, 7_999_999, 'within', []],
    [0, 8_000_000, 'warned', []],
    [999, 9_999_999, 'warned', []],
    [1_000, 0, 'reached', ['tokens']],
    [0, 10_000_000, 'reached', ['costMicros']],
    [2_000, 20_000_000, 'reached', ['tokens', 'costMicros']],
  ])('of %i tokens and %i micro-dollars is %s', (tokens, micros, level, units) => {
    expect(budgetLevel(both, spent(tokens, micros))).toBe(level);
    expect(reachedUnits(both, spent(tokens, micros))).toEqual(units);
  });

  it('is never more than within where there is none', () => {
    expect(budgetLevel(none, spent(1e12, 1e12))).toBe('within');
    expect(hasBudget({ budgetTokens: null, budgetCostMicros: null })).toBe(false);
    expect(hasBudget(row)).toBe(true);
    expect(hasBudget({ ...row, budgetTokens: null, budgetCostMicros: 1 })).toBe(true);
    expect(budgetOf(row)).toEqual({ tokens: 1_000, costMicros: null });
  });

  it('is that of what it may come to once', () => {
    expect(limitsOf(row)).toEqual({ tokens: 1_000, costMicros: null });
    expect(limitsOf({ ...row, budgetGraceTokens: 1_300 }).tokens).toBe(1_300);
    expect(limitsOf({ ...row, budgetGraceTokens: 900 }).tokens).toBe(1_000);
  });
});

describe('in words', () => {
  it('a budget says what is used of it', () => {
    expect(budgetWords(both, spent(600, 8_100_000))).toBe(
      '$8.10 of $10.00 (81 %) and 600 of 1k tokens (60 %)',
    );
    expect(budgetWords({ ...none, costMicros: 3 }, spent(0, 2))).toBe(
      '$0.000002 of $0.000003 (66 %)',
    );
    expect(budgetWords({ ...none, tokens: 1 }, spent(50, 0))).toBe('50 of 1 tokens (999 %)');
    expect(budgetWords(none, spent(50, 0))).toBe('');
  });

  it('offers the budget once more, of what is used up', () => {
    expect(budgetChoices(both, ['costMicros'])).toEqual([
      'Raise by $10.00',
      'Go on once',
      'Stop it',
    ]);
    expect(budgetChoices(both, ['tokens', 'costMicros'])[0]).toBe(
      'Raise by $10.00 and 1000 tokens',
    );
    expect(budgetChoices({ ...none, tokens: 7 }, ['tokens', 'costMicros'])[0]).toBe(
      'Raise by 7 tokens',
    );
  });
});

describe('an answer', () => {
  it('that is offered is understood as it was meant', () => {
    const choices = budgetChoices(both, ['tokens', 'costMicros']);
    expect(choices.map(readBudgetChoice)).toEqual([
      { kind: 'raise', by: both },
      { kind: 'once' },
      { kind: 'stop' },
    ]);
  });

  it.each([
    ['raise by 2.5', { ...none, costMicros: 2_500_000 }],
    ['Raise by $ 3', { ...none, costMicros: 3_000_000 }],
    ['raise by 500k tokens.', { ...none, tokens: 500_000 }],
    ['raise by 2M tokens and $1', { tokens: 2_000_000, costMicros: 1_000_000 }],
    ['raise by 1 token', { ...none, tokens: 1 }],
  ])('%j raises', (answer, by) => {
    expect(readBudgetChoice(answer)).toEqual({ kind: 'raise', by });
  });

  it.each([
    'raise',
    'raise by',
    'raise by 0',
    'raise by much',
    'raise by -1',
    'raise by $1 and $2',
    'raise by 999999999999m tokens',
    'yes',
    '',
  ])('%j decides nothing', (answer) => {
    expect(readBudgetChoice(answer)).toBeUndefined();
  });
});

describe('beyond a budget', () => {
  it('a raise counts from what is spent, and of each kind alone', () => {
    const by = { tokens: null, costMicros: 5_000_000 };
    expect(raised(both, spent(0, 2_000_000), by)).toEqual({ ...both, costMicros: 15_000_000 });
    expect(raised(both, spent(0, 12_000_000), by)).toEqual({ ...both, costMicros: 17_000_000 });
    expect(raised({ ...none, tokens: 5 }, spent(9, 0), { ...by, tokens: 1 })).toEqual({
      ...none,
      tokens: 10,
    });
    expect(raised(both, spent(0, 0), { tokens: budgetMax, costMicros: null }).tokens).toBe(
      budgetMax,
    );
  });

  it('once is another tenth from where it stands', () => {
    expect(graceOf(both, spent(1_500, 12_000_000))).toEqual({
      tokens: 1_600,
      costMicros: 13_000_000,
    });
    expect(graceOf({ ...none, tokens: 5 }, spent(5, 0))).toEqual({ ...none, tokens: 6 });
  });
});

it('let go on once, tells how far, where that is further than the budget', () => {
  expect(letOnce(row)).toBeNull();
  expect(letOnce({ ...row, budgetGraceTokens: 1_000 })).toBeNull();
  expect(letOnce({ ...row, budgetGraceTokens: 1_300 })).toEqual({ ...none, tokens: 1_300 });
  const money = { budgetCostMicros: 5_000_000, budgetGraceCostMicros: 5_500_000 };
  const once = letOnce({ ...row, ...money, budgetGraceTokens: 1_300 });
  expect(amountWords(once ?? none)).toBe('$5.50 and 1.3k tokens');
  expect(letOnce({ ...row, budgetGraceCostMicros: 9 })).toBeNull();
});
