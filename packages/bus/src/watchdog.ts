/**
 * Notices a worker that has gone deaf: connected, without an error, and never taking a job again (it has
 * happened in many versions and ways). A canary goes through the same queue as the jobs.
 *
 * Law: alive is who processed anything, or, where other processes ate the canary, whose own fetch came back
 * from Redis. Time in which Redis itself does not answer is held against nobody.
 */
import { randomUUID } from 'node:crypto';
import type { Queue, Worker } from 'bullmq';
import type { JobName } from '@makima/contracts/jobs';
import type { HealthCheck } from '@makima/runtime/health';
import { createLoop } from '@makima/runtime/loop';
import type { Bus } from './queues.ts';

/** Name of the job in every queue that asks for nothing. */
export const canaryName = 'canary';

export interface WatchdogOptions {
  readonly bus: Bus;
  readonly name: JobName;
  readonly timings: { readonly canaryMs: number; readonly deafMs: number };
  /** Whether every slot of the worker is taken by a handler, which is life as well. */
  readonly busy: () => boolean;
  /** Replace the worker by a new one. */
  readonly rebuild: () => void;
  /** The new one is deaf as well. */
  readonly onDeaf: () => void;
}

export interface Watchdog {
  /** The worker processed something. */
  alive(): void;
  /** Watch the fetches of a new worker. */
  watch(worker: Worker): void;
  start(): void;
  stop(): Promise<void>;
  tick(): Promise<void>;
  readonly health: HealthCheck;
}

export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { bus, name, timings } = options;
  const canaryId = `${canaryName}_${randomUUID()}`;
  let aliveAt = performance.now();
  let fetchedAt = performance.now();
  let rebuilt = false;

  const deaf = (): boolean => performance.now() - aliveAt > timings.deafMs;
  const alive = (): void => {
    aliveAt = performance.now();
    rebuilt = false;
  };
  const judge = async (queue: Queue): Promise<void> => {
    if (!deaf()) return;
    if (options.busy() || (await queue.isPaused())) return alive();
    bus.inner.log.error({ queue: name, rebuilt }, 'worker takes no jobs although redis answers');
    aliveAt = performance.now();
    if (rebuilt) return options.onDeaf();
    rebuilt = true;
    options.rebuild();
  };
  const tick = async (): Promise<void> => {
    const queue = bus.inner.queues.get(name);
    if (queue === undefined) return;
    try {
      const waiting = await queue.getJob(canaryId);
      // Somebody took the last one: this worker lives if its own fetches come back.
      if (!waiting && performance.now() - fetchedAt < timings.deafMs) alive();
      if (!waiting) await queue.add(canaryName, {}, canaryOptions(canaryId));
      await judge(queue);
    } catch {
      aliveAt = performance.now(); // Redis does not answer
    }
  };
  const loop = createLoop({
    name: `canary:${name}`,
    intervalMs: timings.canaryMs,
    tick,
    log: bus.inner.log,
  });

  return {
    alive,
    watch(worker) {
      fetchedAt = performance.now();
      noteFetches(worker, () => (fetchedAt = performance.now()));
    },
    start: () => loop.start(),
    stop: () => loop.stop(),
    tick: () => loop.tick(),
    health: {
      name: `queue:${name}`,
      check() {
        if (deaf()) throw new Error('the worker takes no jobs');
      },
    },
  };
}

/** A canary leaves nothing behind, so the same id can be sent again as soon as it was taken. */
function canaryOptions(jobId: string) {
  return { jobId, attempts: 1, removeOnComplete: true, removeOnFail: true };
}

/** An idle worker asks for the next job every few seconds; note each time that Redis answered it. */
function noteFetches(worker: Worker, fetched: () => void): void {
  const backend = worker.getBackend();
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...args) => {
    const answer = await moveToActive(...args);
    fetched();
    return answer;
  };
}
