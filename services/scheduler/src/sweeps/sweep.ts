/**
 * A sweep: looks over the rows at an interval and does what no job did, because its ticket was lost or there
 * never was one. The same verbs as the jobs call; the happy path is the recovery path.
 *
 * Law: bounded work per round, and another round at once while there is more. A store that is away is no
 * error of a sweep: it is asked again a second later, for much waits for what comes back.
 */
import type { Engine } from '@makima/engine/context';
import type { Part } from '@makima/runtime/lifecycle';
import type { Log } from '@makima/runtime/log';
import { createLoop } from '@makima/runtime/loop';
import type { Metrics } from '@makima/runtime/metrics';
import type { Wire } from '@makima/wire/wire';

export interface SweepDeps {
  readonly engine: Engine;
  /** For sweeps of which one process at a time is enough. */
  readonly leader: Wire['leader'];
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Sweep extends Part {
  start(): void;
  stop(): Promise<void>;
  tick(): Promise<void>;
}

export interface SweepSpec {
  readonly name: string;
  readonly intervalMs: number;
  /** One round of at most `limit` rows; answers how many it found. */
  readonly round: (limit: number) => Promise<number>;
  /** `one`: a second process doing the same would be waste. Default `all`. */
  readonly who?: 'one' | 'all';
  readonly limit?: number;
  /** Asked before each tick: whether it is the moment for this. */
  readonly when?: () => Promise<boolean>;
}

const defaultLimit = 100;
const maxRounds = 50;
const awayMs = 1_000;

export function createSweep(deps: SweepDeps, spec: SweepSpec): Sweep {
  const limit = spec.limit ?? defaultLimit;
  const swept = deps.metrics.counter({
    name: 'makima_swept_total',
    help: 'Rows that a sweep found and handled.',
    labels: ['sweep'],
  });
  const rounds = async (signal: AbortSignal): Promise<void> => {
    for (let round = 0; round < maxRounds && !signal.aborted; round += 1) {
      const found = await spec.round(limit);
      if (found > 0) {
        swept.inc({ sweep: spec.name }, found);
        deps.log.info({ sweep: spec.name, found }, 'swept');
      }
      if (found < limit) return;
    }
  };
  const loop = createLoop({
    name: spec.name,
    intervalMs: spec.intervalMs,
    log: deps.log,
    metrics: deps.metrics,
    tick: async (signal) => {
      if (spec.when === undefined && !(await answers(deps)))
        return Math.min(spec.intervalMs, awayMs);
      if ((await spec.when?.()) === false) return;
      if (spec.who === 'one') await deps.leader(spec.name, () => rounds(signal));
      else await rounds(signal);
    },
  });
  return {
    name: `sweep:${spec.name}`,
    start: () => loop.start(),
    stop: () => loop.stop(),
    tick: () => loop.tick(),
  };
}

async function answers(deps: SweepDeps): Promise<boolean> {
  try {
    await deps.engine.database.ping(2_000);
    return true;
  } catch {
    return false;
  }
}
