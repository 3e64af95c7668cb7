/**
 * The consumer's side of the queues: one BullMQ worker per job, with connections of its own, watched by a
 * canary (see `watchdog.ts`) and built anew when it has gone deaf.
 *
 * Law: a lost lock aborts the handler's signal; stopping ends within its deadline even when Redis does not
 * answer; what is cut off there comes again through the stalled check of another worker.
 */
import { Worker, type Job } from 'bullmq';
import { jobs, type JobName } from '@makima/contracts/jobs';
import { withDeadline } from '@makima/runtime/deadline';
import { inSpan } from '@makima/runtime/tracing';
import type { HealthCheck } from '@makima/runtime/health';
import type { Part } from '@makima/runtime/lifecycle';
import { deliver, type DeliveryRules, type JobHandler } from './delivery.ts';
import { consumerMetrics, type ConsumerMetrics } from './consumer-metrics.ts';
import { queueName, keep, type Bus } from './queues.ts';
import { quietly } from './quiet.ts';
import { openWorkerSockets, type WorkerSockets } from './redis.ts';
import { canaryName, createWatchdog, type Watchdog } from './watchdog.ts';

export interface WorkerTimings extends DeliveryRules {
  /** How long a lock holds without renewal; renewed at half of it. */
  readonly lockMs: number;
  /** How often abandoned jobs are looked for. */
  readonly stalledMs: number;
  /** Longest block while the queue is empty. */
  readonly blockMs: number;
  /** How often a canary is sent. */
  readonly canaryMs: number;
  /** Nothing processed for this long while Redis answers: the worker is deaf. */
  readonly deafMs: number;
  /** How long `stop` waits for running handlers before it aborts them and leaves. */
  readonly drainMs: number;
}

export const workerTimings: WorkerTimings = {
  handlerMs: 60_000,
  versionDelayMs: 10_000,
  versionTries: 60,
  lockMs: 30_000,
  stalledMs: 15_000,
  blockMs: 5_000,
  canaryMs: 10_000,
  deafMs: 45_000,
  drainMs: 20_000,
};

const maxStalledCount = 5;

export interface ConsumeOptions {
  /** A worker built anew was deaf again: the process should end (exit 1) and be started afresh. */
  readonly onDeaf: (queue: JobName) => void;
  /** Default: from the catalog. */
  readonly concurrency?: number;
  /** Shorter times, for tests. */
  readonly timings?: Partial<WorkerTimings>;
}

/** A running consumer of one queue. A part of an app. */
export interface Consumer extends Part {
  start(): void;
  stop(): Promise<void>;
  /** Red when this worker has processed nothing, not even a canary, for too long; for `/readyz`. */
  readonly health: HealthCheck;
}

/** Consume one queue of the catalog. Nothing is taken before `start()`. */
export function consume<N extends JobName>(
  bus: Bus,
  name: N,
  handler: JobHandler<N>,
  options: ConsumeOptions,
): Consumer {
  const timings = { ...workerTimings, ...options.timings };
  const metrics = consumerMetrics(bus.inner.metrics);
  const concurrency = options.concurrency ?? jobs[name].concurrency;
  let worker: RunningWorker | undefined;
  let stopping: Promise<void> | undefined;

  const open = (): void => {
    worker = openWorker({ bus, name, handler, concurrency, timings, metrics, watchdog });
  };
  const watchdog = createWatchdog({
    bus,
    name,
    timings,
    busy: () => (worker?.active() ?? 0) >= concurrency,
    rebuild: () => {
      metrics.rebuilt.inc({ queue: name });
      const old = worker;
      open();
      // The deaf one is given no time: its locks run out and its jobs come again.
      void old?.close(0);
    },
    onDeaf: () => options.onDeaf(name),
  });

  return {
    name: `consumer:${name}`,
    stopMs: timings.drainMs + 2_000,
    health: watchdog.health,
    start() {
      if (worker !== undefined || stopping !== undefined) return;
      open();
      watchdog.start();
    },
    stop() {
      stopping ??= (async () => {
        await watchdog.stop();
        await worker?.close(timings.drainMs);
      })();
      return stopping;
    },
    tick: () => watchdog.tick(),
  };
}

interface WorkerSpec<N extends JobName> {
  readonly bus: Bus;
  readonly name: N;
  readonly handler: JobHandler<N>;
  readonly concurrency: number;
  readonly timings: WorkerTimings;
  readonly metrics: ConsumerMetrics;
  readonly watchdog: Watchdog;
}

interface RunningWorker {
  /** Handlers that run now. */
  active(): number;
  /** Wait `drainMs` for running handlers, then abort them and cut the connections. Never throws. */
  close(drainMs: number): Promise<void>;
}

function openWorker<N extends JobName>(spec: WorkerSpec<N>): RunningWorker {
  const { bus, name, timings, metrics, watchdog } = spec;
  const sockets = openWorkerSockets(bus.inner);
  let active = 0;

  const work = async (job: Job, token?: string, signal?: AbortSignal): Promise<void> => {
    if (job.name === canaryName) return watchdog.alive();
    const since = performance.now();
    active += 1;
    metrics.wait.observe({ queue: name }, Math.max(0, Date.now() - job.timestamp) / 1_000);
    try {
      const parent = (job.data as { trace?: string } | null)?.trace;
      await inSpan({ name: `job ${name}`, parent }, () =>
        deliver({
          name,
          job,
          token,
          signal: signal ?? new AbortController().signal,
          handler: spec.handler,
          rules: timings,
          log: bus.inner.log,
          settled: (outcome) => metrics.deliveries.inc({ queue: name, outcome }),
        }),
      );
    } finally {
      active -= 1;
      metrics.run.observe({ queue: name }, (performance.now() - since) / 1_000);
      watchdog.alive();
    }
  };
  // BullMQ hands over the signal only to processors that name three parameters.
  const worker = new Worker(
    queueName(bus.prefix, name),
    (job: Job, token: string | undefined, signal: AbortSignal | undefined) =>
      work(job, token, signal),
    {
      prefix: bus.prefix,
      connection: sockets.main,
      concurrency: spec.concurrency,
      lockDuration: timings.lockMs,
      stalledInterval: timings.stalledMs,
      maxStalledCount,
      drainDelay: timings.blockMs / 1_000,
      runRetryDelay: 1_000,
      ...keep,
    },
  );
  const quiet = quietly();
  worker.on('error', (error) => {
    metrics.errors.inc({ queue: name });
    quiet(() => bus.inner.log.warn({ err: error, queue: name }, 'worker error'));
  });
  worker.on('stalled', () => metrics.stalled.inc({ queue: name }));
  worker.on('lockRenewalFailed', (jobIds) => {
    metrics.lockLost.inc({ queue: name }, jobIds.length);
    for (const jobId of jobIds) worker.cancelJob(jobId, 'lock lost');
  });
  watchdog.watch(worker);

  const busy = (): boolean => active > 0;
  return { active: () => active, close: (drainMs) => closeWorker(worker, sockets, drainMs, busy) };
}

/** Time for the goodbyes of a worker that runs nothing. */
const goodbyeMs = 1_500;

/** `worker.close()` hangs when Redis is away, so it is raced; then signals are aborted and sockets cut. */
async function closeWorker(
  worker: Worker,
  sockets: WorkerSockets,
  drainMs: number,
  busy: () => boolean,
): Promise<void> {
  const closing = worker.close().catch(() => undefined);
  const firstMs = Math.min(goodbyeMs, drainMs);
  try {
    await withDeadline(firstMs, () => closing, 'closing a worker').catch((error: unknown) => {
      if (!busy()) throw error;
      return withDeadline(drainMs - firstMs, () => closing, 'draining a worker');
    });
  } catch {
    worker.cancelAllJobs('the worker stops');
  } finally {
    sockets.disconnect();
  }
}
