/** Kinds of broken invariants, in words. */
import { expect, it } from 'vitest';
import { invariantKinds, invariantWords } from './invariant.ts';

it('has a sentence of its own for each kind, and none for what is not one', () => {
  const words = invariantKinds.map(invariantWords);
  expect(new Set(words).size).toBe(invariantKinds.length);
  for (const said of words) expect(said).toMatch(/^[a-z][a-z, ]+$/);
  for (const other of ['contract_stale', 'toString', '']) expect(invariantWords(other)).toBe('');
});
