/** Facts of one thing, a line each: aligned on a terminal, `name<tab>value` in a pipe. */
import type { Screen } from './io.ts';
import { oneLine } from './plain.ts';

export type Fact = readonly [name: string, value: string | null];

/** Facts without a value are left out. */
export function renderFacts(facts: readonly Fact[], screen: Screen): string {
  const known = facts.filter(
    (fact): fact is [string, string] => fact[1] !== null && fact[1] !== '',
  );
  if (!screen.isTty) return known.map(([name, value]) => `${name}\t${oneLine(value)}`).join('\n');
  const width = Math.max(...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => `  ${screen.colors.dim(name.padEnd(width))}  ${oneLine(value)}`)
    .join('\n');
}
