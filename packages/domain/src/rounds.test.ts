/** The word that ends a task that works in rounds. */
import { describe, expect, it } from 'vitest';
import { completionWord, goOnWords, roundsBrief, roundsUsedUp, saysComplete } from './rounds.ts';

describe('the word that all is done', () => {
  it.each([
    'TASK COMPLETE',
    'All tests pass.\n\nTASK COMPLETE\n',
    'done\n**TASK COMPLETE**',
    'done\n> `TASK COMPLETE`.',
    '- TASK COMPLETE!  ',
  ])('stands in %j', (text) => expect(saysComplete(text)).toBe(true));

  it.each([
    '',
    'task complete',
    'TASK COMPLETE\nBut one test still fails.',
    'It is not yet TASK COMPLETE',
    'TASK COMPLETED',
  ])('does not stand in %j', (text) => expect(saysComplete(text)).toBe(false));

  it('is told beside the instructions, in each round, and when it never came', () => {
    expect(roundsBrief(7)).toMatch(new RegExp(`7 at most.*${completionWord}`));
    expect(goOnWords(2, 7)).toMatch(new RegExp(`^\\[Round 2 of 7\\].*${completionWord}`));
    expect(roundsUsedUp(7)).toBe(`it did not say ${completionWord} within 7 rounds`);
  });
});
