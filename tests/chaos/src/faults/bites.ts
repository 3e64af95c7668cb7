// Which kinds of fault bit, and which did not.
// Law: a kind that was on the timetable and never showed its teeth makes a run worth nothing.
import type { Struck } from './nemesis.ts';

export interface Bites {
  /** Faults by kind. */
  readonly struck: Readonly<Record<string, number>>;
  /** Of those, the ones that showed. */
  readonly bit: Readonly<Record<string, number>>;
  /** Sentences about kinds that were planned and did not bite once. */
  readonly toothless: readonly string[];
}

export async function bitesOf(
  struck: readonly Struck[],
  planned: ReadonlySet<string>,
): Promise<Bites> {
  const counts: Record<string, number> = {};
  const bit: Record<string, number> = {};
  for (const one of struck) {
    counts[one.kind] = (counts[one.kind] ?? 0) + 1;
    if ((await one.bite) !== null) bit[one.kind] = (bit[one.kind] ?? 0) + 1;
  }
  const toothless = [...planned]
    .filter((kind) => (bit[kind] ?? 0) === 0)
    .map((kind) => `${kind} struck ${counts[kind] ?? 0} times and never bit`);
  return { struck: counts, bit, toothless };
}
