/**
 * How a machine is tried: many short lives of it, each a list of steps drawn by chance, with the invariants
 * asked after every step. Seeds that once found something are tried first, for ever.
 *
 * Law: a step moves the machine by the product's own rules only; what a model remembers beside them is what
 * its invariants are asked about.
 */
import fc from 'fast-check';
import { keptSeeds, type ModelName } from './test-seeds.ts';

/** One thing that may happen. A step that does not fit the moment is left out. */
export interface Step<World> {
  readonly name: string;
  readonly may?: (world: World) => boolean;
  readonly happen: (world: World) => void;
}

export interface Model<World> {
  readonly name: ModelName;
  readonly begin: () => World;
  readonly steps: readonly fc.Arbitrary<Step<World>>[];
  /** Throws when something that must always hold does not. */
  readonly invariants: (world: World) => void;
  /** At the end of each life. */
  readonly atLast?: (world: World) => void;
  /** What this life has come to; every state of the machine is to be met in some life. */
  readonly seen: { readonly of: (world: World) => string; readonly all: readonly string[] };
  readonly runs?: number;
  readonly stepsMax?: number;
}

/** Throws with the shortest life found that breaks an invariant, and the seed to keep. */
export function holds<World>(model: Model<World>): void {
  const { name, runs = 5_000, stepsMax = 40 } = model;
  const life = fc.array(fc.oneof(...model.steps).map(named), { maxLength: stepsMax, size: 'max' });
  const seen = new Set<string>();
  const property = fc.property(life, (steps) => live(model, steps, seen));
  for (const seed of keptSeeds[name]) fc.assert(property, { seed, numRuns: runs });
  fc.assert(property, { numRuns: runs, reporter: (run) => explain(name, run) });
  const unseen = model.seen.all.filter((state) => !seen.has(state));
  if (unseen.length > 0) throw new Error(`no life of ${runs} came to ${unseen.join(', ')}`);
}

/** A step without parameters. */
export const step = <World>(
  name: string,
  happen: (world: World) => void,
  may?: (world: World) => boolean,
): fc.Arbitrary<Step<World>> =>
  fc.constant(may === undefined ? { name, happen } : { name, happen, may });

/** Asked after every step of thousands of lives: a plain question, for `expect` takes longer than a life. */
export function must(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(`must hold: ${what}`);
}

function live<World>(model: Model<World>, steps: readonly Step<World>[], seen: Set<string>): void {
  const world = model.begin();
  model.invariants(world);
  seen.add(model.seen.of(world));
  for (const { may, happen } of steps) {
    if (may !== undefined && !may(world)) continue;
    happen(world);
    model.invariants(world);
    seen.add(model.seen.of(world));
  }
  model.atLast?.(world);
}

function named<World>(one: Step<World>): Step<World> {
  return Object.assign({ ...one }, { [fc.toStringMethod]: () => one.name });
}

function explain<T>(name: ModelName, run: fc.RunDetails<T>): void {
  if (!run.failed) return;
  const hint = `keep it: add ${run.seed} to keptSeeds['${name}'] in test-seeds.ts`;
  throw new Error(`${fc.defaultReportMessage(run)}\n${hint}`, { cause: run.errorInstance });
}
