/** How much may be spent, as options: of a contract, and of a task. */
import { budgetMax } from '@makima/domain/budget';
import { dollars, type OptionSpec, wholeNumber } from './spec.ts';

export const budgetTokens: OptionSpec = {
  flags: '--budget-tokens <n>',
  text: 'the same in tokens of every kind',
  parse: wholeNumber(1, budgetMax),
};

export const contractBudget: readonly OptionSpec[] = [
  {
    flags: '--budget <dollars>',
    text: 'what all its agents may spend: you are told at 80 %, and asked at 100 %',
    parse: dollars,
  },
  budgetTokens,
];

export const taskBudget: readonly OptionSpec[] = [
  {
    flags: '--budget <dollars>',
    text: 'what it may spend: its supervisor is told at 80 %, a person is asked at 100 %',
    parse: dollars,
  },
  budgetTokens,
];
