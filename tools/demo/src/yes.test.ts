// What --yes answers.
import { expect, it } from 'vitest';
import { createYes } from './yes.ts';

it('takes the first choice, else leaves it to the agent', () => {
  const answer = createYes();
  expect(answer({ question: 'Which?', choices: ['a dash', 'none'] })).toBe('a dash');
  expect(answer({ question: 'What next?', choices: [] })).toBe('Do what you think is best.');
});

it('has no answer to what is asked for the fourth time', () => {
  const answer = createYes();
  const again = { question: 'What next?', choices: [] };
  for (let times = 1; times <= 3; times += 1) expect(answer(again)).toBeDefined();
  expect(answer(again)).toBeUndefined();
  expect(answer({ ...again, question: 'And now?' })).toBeDefined();
});
