// The one object that a run ends with.
// Law: a program reads it: names and units stay.
import type { ChaosOptions } from './options.ts';
import type { MixResult } from './run.ts';
import type { Spread } from './measure/recovery.ts';

export interface Summary {
  readonly seed: number;
  readonly minutes: number;
  /** Faults that struck, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Of those, the ones that showed that they bit. */
  readonly bit: Readonly<Record<string, number>>;
  readonly operations: number;
  readonly contracts: { readonly started: number; readonly completed: number };
  readonly restorations: number;
  readonly lost: number;
  readonly doubled: number;
  readonly broken: number;
  readonly recoveryMs: Readonly<Record<string, Spread>>;
}

export function summaryOf(
  { seed }: Pick<ChaosOptions, 'seed'>,
  results: readonly MixResult[],
): Summary {
  const sum = (of: (result: MixResult) => number): number =>
    results.reduce((all, result) => all + of(result), 0);
  return {
    seed,
    minutes: Math.round((sum(({ seconds }) => seconds) / 60) * 100) / 100,
    faults: added(results.map(({ bites }) => bites.struck)),
    bit: added(results.map(({ bites }) => bites.bit)),
    operations: sum(({ operations }) => operations),
    contracts: {
      started: sum(({ contracts }) => contracts.started),
      completed: sum(({ contracts }) => contracts.completed),
    },
    restorations: sum(({ restorations }) => restorations),
    lost: sum(({ lost }) => lost.length),
    doubled: sum(({ doubled }) => doubled.length),
    broken: sum(({ broken }) => broken.length),
    recoveryMs: Object.assign(
      {},
      ...results.map(({ recoveryMs }) => recoveryMs),
    ) as Summary['recoveryMs'],
  };
}

function added(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  return total;
}
