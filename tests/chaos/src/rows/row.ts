// A row of the torture table: what fails, for how long, in which house, and what must be seen.
// Law: small and declarative; how a house is opened, loaded, calmed and checked is the same for all rows.
import type { Verdict } from '../check/verdict.ts';
import type { Fault } from '../faults/fault.ts';
import type { HouseOptions } from '../house/house.ts';
import type { Load } from '../load/contracts.ts';
import type { Started } from '../scenario.ts';

export interface Row {
  readonly about: string;
  readonly house?: HouseOptions;
  /** What strikes under load, by name, over and over. */
  readonly faults?: Readonly<Record<string, Fault>>;
  /** Of the whole row, from the first process to the last check. */
  readonly seconds?: number;
  /** Lines of contracts beside it; as many as were asked for unless said. */
  readonly contracts?: number;
  /** Between two faults, at most; a fifth of it at least. */
  readonly gapMs?: number;
  /**
   * What happens once, at a chosen moment, while the load runs; what it finds wrong goes into the
   * verdict, contracts that it answers are compared with the twin like those of the load.
   */
  readonly story?: (stage: RowStage) => Promise<readonly Started[] | void>;
  /** Who looks on from the first fault to the last, and says at rest what must not have been. */
  readonly watchers?: readonly Watcher[];
}

export type Watcher = (stage: RowStage) => Watching;

export interface Watching {
  atRest(): void | Promise<void>;
}

export interface RowStage extends Load {
  readonly verdict: Verdict;
}
