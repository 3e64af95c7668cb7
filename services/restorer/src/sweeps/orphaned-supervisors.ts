/**
 * Sweep: interrupted supervisors whose restoration never came. What it finds it restores by itself, as the
 * job would: hint and scan do the same work.
 * The first look of a process takes up what the one before it may have died with.
 *
 * Law: one process at a time is enough; one supervisor that cannot be restored keeps no other waiting.
 */
import { findOrphaned } from '@makima/engine/supervisor/find-orphaned';
import type { Engine } from '@makima/engine/context';
import type { Part } from '@makima/runtime/lifecycle';
import type { Log } from '@makima/runtime/log';
import { createLoop } from '@makima/runtime/loop';
import type { Metrics } from '@makima/runtime/metrics';
import type { Restore } from '../jobs/restore-supervisor.ts';
import type { RestorerMetrics } from '../restorer-metrics.ts';
import type { Wire } from '@makima/wire/wire';

export interface OrphansDeps {
  readonly engine: Engine;
  readonly leader: Wire['leader'];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly counts: RestorerMetrics;
  readonly restore: Restore;
  /** How long a job may have been on its way. Default 10 s, and 1 s in the first look of a process. */
  readonly olderThanMs?: number;
  /** Default 5 s. */
  readonly intervalMs?: number;
}

export interface OrphanSweep extends Part {
  tick(): Promise<void>;
}

const usualIntervalMs = 5_000;
const awayMs = 1_000;
const limit = 50;
const usualOlderThanMs = 10_000;
const firstOlderThanMs = 1_000;

export function orphanedSupervisors(deps: OrphansDeps): OrphanSweep {
  const { engine, log } = deps;
  const name = 'orphaned-supervisors';
  let isFirst = true;
  const round = async (): Promise<void> => {
    const olderThanMs = deps.olderThanMs ?? (isFirst ? firstOlderThanMs : usualOlderThanMs);
    for (const orphan of await findOrphaned(engine, { limit, olderThanMs })) {
      deps.counts.orphans.inc();
      try {
        const outcome = await deps.restore(orphan);
        const { taskId, attempt } = orphan;
        if (outcome !== 'nothing') log.info({ taskId, attempt, outcome }, 'orphan restored');
      } catch (error) {
        log.warn({ err: error, taskId: orphan.taskId }, 'an orphan could not be restored');
      }
    }
    isFirst = false;
  };
  const loop = createLoop({
    name,
    intervalMs: deps.intervalMs ?? usualIntervalMs,
    log,
    metrics: deps.metrics,
    tick: async () => {
      if (!(await answers(engine))) return awayMs;
      await deps.leader(name, round);
    },
  });
  return {
    name: `sweep:${name}`,
    start: () => loop.start(),
    stop: () => loop.stop(),
    tick: () => loop.tick(),
  };
}

/** A store that is away is no error of a sweep: it is asked again a second later. */
async function answers(engine: Engine): Promise<boolean> {
  try {
    await engine.database.ping(2_000);
    return true;
  } catch {
    return false;
  }
}
