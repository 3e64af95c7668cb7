/** Facts of one thing, a line each: aligned on a terminal, `name<tab>value` in a pipe. */
import type { Screen } from './io.ts';
import { oneLine } from './plain.ts';
import { cut } from './table.ts';

export type Fact = readonly [name: string, value: string | null];

/** A long text (a goal, a plan) takes at most this many lines of a terminal; JSON has all of it. */
const mostLines = 3;

/** Facts without a value are left out. */
export function renderFacts(facts: readonly Fact[], screen: Screen): string {
  const known = facts.filter(
    (fact): fact is [string, string] => fact[1] !== null && fact[1] !== '',
  );
  if (!screen.isTty) return known.map(([name, value]) => `${name}\t${oneLine(value)}`).join('\n');
  const width = Math.max(...known.map(([name]) => name.length));
  const room = mostLines * Math.max(20, screen.columns - width - 4);
  return known
    .map(([name, value]) => {
      const text = cut(oneLine(value), room, screen.ellipsis);
      return `  ${screen.colors.dim(name.padEnd(width))}  ${text}`;
    })
    .join('\n');
}
