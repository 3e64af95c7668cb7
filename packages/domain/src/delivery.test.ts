/** What became of a delivered branch is said whole: what was asked for and not done, with its reason. */
import { describe, expect, it } from 'vitest';
import { deliveryWords } from './delivery.ts';

const of = { branch: 'makima/x', commitSha: 'a'.repeat(40), baseMoved: false, note: 'it is dirty' };

describe('the words of a delivery', () => {
  it.each([
    [of, 'branch', `makima/x is in the repository at ${'a'.repeat(12)}`],
    [of, 'merge', 'makima/x is in the repository, but not merged: it is dirty'],
    [{ ...of, baseMoved: true, note: 'main is at a' }, 'merge', 'makima/x is merged: main is at a'],
    [
      { ...of, commitSha: null },
      'merge',
      'makima/x was not brought into the repository: it is dirty',
    ],
  ] as const)('%j, asked for %s', (delivered, wish, words) => {
    expect(deliveryWords(delivered, wish)).toBe(words);
  });
});
