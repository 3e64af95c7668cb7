/**
 * How the queues stand: for metrics, and for people who ask why nothing happens.
 *
 * Law: reads only, one round trip per figure, canaries are not counted as work.
 */
import type { Queue } from 'bullmq';
import type { JobName } from '@makima/contracts/jobs';
import type { Bus } from './queues.ts';
import { canaryName } from './watchdog.ts';

export interface QueueHealth {
  readonly queue: JobName;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Set aside after their last attempt; kept for a day. */
  readonly failed: number;
  readonly paused: boolean;
  /** Age of the job that waits longest, in milliseconds; null when none waits. */
  readonly oldestWaitingMs: number | null;
}

/** Read every queue of the catalog. Rejects when Redis does not answer. */
export async function queueHealth(bus: Bus): Promise<QueueHealth[]> {
  return Promise.all([...bus.inner.queues].map(([name, queue]) => readQueue(name, queue)));
}

/** Read one queue. */
export async function readQueue(name: JobName, queue: Queue): Promise<QueueHealth> {
  const [counts, paused, first] = await Promise.all([
    queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
    queue.isPaused(),
    // A few, because canaries may stand in front.
    queue.getJobs(['waiting'], 0, 15, true),
  ]);
  const canaries = first.filter((job) => job.name === canaryName).length;
  const oldest = first.find((job) => job.name !== canaryName);
  return {
    queue: name,
    waiting: Math.max(0, (counts['waiting'] ?? 0) - canaries),
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    failed: counts['failed'] ?? 0,
    paused,
    oldestWaitingMs: oldest ? Math.max(0, Date.now() - oldest.timestamp) : null,
  };
}

/** Gauges that are read at scrape time. In one service only, else every service reports the same. */
export function registerQueueMetrics(bus: Bus): void {
  const { metrics } = bus.inner;
  const oldest = metrics.gauge({
    name: 'makima_queue_oldest_seconds',
    help: 'Age of the job that waits longest, 0 when none waits.',
    labels: ['queue'],
  });
  metrics.gauge({
    name: 'makima_queue_jobs',
    help: 'Jobs by queue and state.',
    labels: ['queue', 'state'],
    collect: async (jobsGauge) => {
      for (const health of await queueHealth(bus)) {
        const { queue } = health;
        for (const state of ['waiting', 'active', 'delayed', 'failed'] as const) {
          jobsGauge.set({ queue, state }, health[state]);
        }
        oldest.set({ queue }, (health.oldestWaitingMs ?? 0) / 1_000);
      }
    },
  });
}
