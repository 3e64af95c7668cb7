/**
 * What the tests of this package stand on: a bus on a private redis-server with short times, and the
 * cleaning up after it.
 *
 * Law: real Redis, real sockets; a test waits for signals, never for time.
 */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { jobId, jobVersion, type JobName } from '@makima/contracts/jobs';
import { createMetrics, type Metrics } from '@makima/runtime/metrics';
import { testLog, type TestLog } from '@makima/runtime/test-log';
import { testRedis } from '@makima/stack/test-stores';
import type { JobContext } from './delivery.ts';
import { openBus, type Bus, type BusOptions, type Ticket } from './queues.ts';
import type { RedisTimings } from './redis.ts';
import { consume, type Consumer, type ConsumeOptions, type WorkerTimings } from './workers.ts';

/** Run when the test is over, last in first out. A hook of this module would be of its worker's first file only. */
export function onEnd(cleanup: () => unknown): void {
  onTestFinished(async () => {
    await cleanup();
  });
}

export const quick: RedisTimings = {
  socketMs: 500,
  blockingSocketMs: 1_000,
  commandMs: 500,
  connectMs: 500,
  retryMaxMs: 200,
};

export const quickWorker: Partial<WorkerTimings> = {
  handlerMs: 5_000,
  versionDelayMs: 20,
  versionTries: 3,
  lockMs: 1_000,
  stalledMs: 300,
  blockMs: 200,
  canaryMs: 100,
  deafMs: 2_000,
  drainMs: 1_000,
};

export interface TestBus {
  readonly bus: Bus;
  readonly log: TestLog;
  readonly metrics: Metrics;
}

/** A bus on a Redis of its own, or on the one given. */
export async function testBus(options: Partial<BusOptions> = {}): Promise<TestBus> {
  const url = options.url ?? (await ownRedis());
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  const bus = openBus({ log, metrics, timings: quick, ...options, url });
  onEnd(() => bus.close(200));
  return { bus, log, metrics };
}

async function ownRedis(): Promise<string> {
  const redis = await testRedis();
  onEnd(redis.stop);
  return redis.url;
}

/** Resolves once commands can be sent. */
export function busReady(bus: Bus): Promise<void> {
  if (bus.ready) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = bus.onReady(() => {
      stop();
      resolve();
    });
  });
}

export interface Delivered {
  readonly payload: Ticket<'evaluate-contract'>['payload'];
  readonly context: JobContext;
}

/** A consumer of `evaluate-contract` whose deliveries a test waits for. */
export function testConsumer(
  bus: Bus,
  options: Partial<Omit<ConsumeOptions, 'timings'>> & {
    readonly timings?: Partial<WorkerTimings>;
    readonly handle?: (delivered: Delivered) => Promise<void>;
  } = {},
) {
  const deliveries: Delivered[] = [];
  let arrived = Promise.withResolvers<void>();
  const consumer: Consumer = consume(
    bus,
    'evaluate-contract',
    async (payload, context) => {
      const delivered = { payload, context };
      deliveries.push(delivered);
      arrived.resolve();
      await options.handle?.(delivered);
    },
    {
      onDeaf: options.onDeaf ?? (() => undefined),
      timings: { ...quickWorker, ...options.timings },
      ...(options.concurrency && { concurrency: options.concurrency }),
    },
  );
  consumer.start();
  onEnd(() => consumer.stop());
  return {
    consumer,
    deliveries,
    /** Resolves when at least this many deliveries have arrived. */
    seen: async (count: number): Promise<Delivered[]> => {
      while (deliveries.length < count) {
        await arrived.promise;
        arrived = Promise.withResolvers();
      }
      return deliveries;
    },
  };
}

/** A ticket for `evaluate-contract` about a contract of its own. */
export function ticket(again = 0, contractId: string = randomUUID()): Ticket<'evaluate-contract'> {
  return {
    queue: 'evaluate-contract',
    jobId: jobId('evaluate-contract', contractId, 1, again),
    payload: { v: jobVersion, ownerId: randomUUID(), contractId },
  };
}

/** Resolves when `look` answers something true; for states that send no signal. */
export async function eventually<T>(look: () => Promise<T> | T): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The state of one job as Redis knows it. */
export async function stateOf(bus: Bus, name: JobName, id: string): Promise<string> {
  return (await bus.inner.queues.get(name)?.getJobState(id)) ?? 'unknown';
}
