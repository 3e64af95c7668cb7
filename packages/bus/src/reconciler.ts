/**
 * Makes Redis derivable: whatever should have a job gets one again, every 15 s for what has waited too
 * long, at once for everything when Redis lost its memory, and for all but the newest when a process starts:
 * the one before it may have died with jobs in its hands, which Redis gives to nobody while their locks last.
 *
 * Law: Redis is whole when its sentinel key names the run of the server that answers. The sentinel is
 * written only after the requeueing was committed.
 */
import { createLoop } from '@makima/runtime/loop';
import type { Part } from '@makima/runtime/lifecycle';
import type { Metrics } from '@makima/runtime/metrics';
import type { Bus } from './queues.ts';

/** Which rows need a job; implemented over Postgres. */
export interface ReconcilePort {
  /**
   * Write a new outbox row (`_r<n+1>`) for every row that needs a job and has been in that state for longer
   * than `olderThanMs` without an unpublished outbox row; 0 = all of them. Repeated calls for the same row
   * should come at growing distances: a job may just wait its turn. Answers how many were written, or null
   * when another process is doing it now.
   */
  requeue(olderThanMs: number): Promise<number | null>;
}

export interface Reconciler extends Part {
  start(): void;
  stop(): Promise<void>;
  tick(): Promise<void>;
}

export interface ReconcilerOptions {
  readonly bus: Bus;
  readonly port: ReconcilePort;
  /** Called after rows were written: poke the relay. */
  readonly requeued?: () => void;
  /** Shorter times, for tests. */
  readonly timings?: Partial<ReconcilerTimings>;
}

export interface ReconcilerTimings {
  /** How often Redis is asked whether it is still the one it was. */
  readonly watchMs: number;
  /** How often old rows are requeued. */
  readonly periodMs: number;
  /** How long a row may need a job before it counts as forgotten. */
  readonly olderThanMs: number;
  /** The same in the first look of a process. */
  readonly firstOlderThanMs: number;
}

const reconcilerTimings: ReconcilerTimings = {
  watchMs: 1_000,
  periodMs: 15_000,
  olderThanMs: 10_000,
  firstOlderThanMs: 1_000,
};

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { bus, port } = options;
  const { log, metrics } = bus.inner;
  const timings = { ...reconcilerTimings, ...options.timings };
  const { rounds, requeuedRows } = reconcilerMetrics(metrics);
  const sentinel = `${bus.prefix}:alive`;
  let lastRoundAt = performance.now();
  let isFirst = true;
  let stopListening: (() => void) | undefined;

  const olderThanMs = {
    start: timings.firstOlderThanMs,
    period: timings.olderThanMs,
    redis_lost: 0,
  };
  const round = async (cause: keyof typeof olderThanMs): Promise<boolean> => {
    const written = await port.requeue(olderThanMs[cause]);
    lastRoundAt = performance.now();
    isFirst = false;
    rounds.inc({ cause });
    if (written === null) return false;
    requeuedRows.inc(written);
    if (written > 0) {
      log.info({ cause, rows: written }, 'jobs requeued');
      options.requeued?.();
    }
    return true;
  };
  const watch = async (): Promise<void> => {
    if (!bus.ready) return; // rows wait in the outbox; the connection's return pokes this loop
    const runId = await redisRunId(bus);
    if ((await bus.inner.redis.get(sentinel)) !== runId) {
      log.warn('redis has lost its memory, requeueing everything that needs a job');
      if (await round('redis_lost')) await bus.inner.redis.set(sentinel, runId);
    } else if (isFirst || performance.now() - lastRoundAt >= timings.periodMs) {
      await round(isFirst ? 'start' : 'period');
    }
  };
  const loop = createLoop({
    name: 'reconciler',
    intervalMs: timings.watchMs,
    tick: watch,
    log,
    metrics,
  });

  return {
    name: 'reconciler',
    start() {
      stopListening ??= bus.onReady(() => loop.poke());
      loop.start();
    },
    stop() {
      stopListening?.();
      stopListening = undefined;
      return loop.stop();
    },
    tick: () => loop.tick(),
  };
}

function reconcilerMetrics(metrics: Metrics) {
  return {
    rounds: metrics.counter({
      name: 'makima_reconcile_rounds_total',
      help: 'Rounds of the reconciler by cause (start, period, redis_lost).',
      labels: ['cause'],
    }),
    requeuedRows: metrics.counter({
      name: 'makima_reconcile_requeued_total',
      help: 'Rows that got a new job from the reconciler.',
    }),
  };
}

/** Changes with every start of the server and with every failover. */
async function redisRunId(bus: Bus): Promise<string> {
  const info = await bus.inner.redis.info('server');
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  if (runId === undefined) throw new Error('redis does not tell its run_id');
  return runId;
}
