/** Permission of agents: what is tightened stays so. */
import { expect, it } from 'vitest';
import { strictestMode } from './permission-mode.ts';

it('an agent asks when its contract or its task says so', () => {
  expect(strictestMode('bypass', 'bypass')).toBe('bypass');
  expect(strictestMode('ask', 'bypass')).toBe('ask');
  expect(strictestMode('bypass', 'ask')).toBe('ask');
});
