/** Redis is derivable: whoever lost it is told at once, once, and only when it is there again. */
import { spareRedis } from '@makima/stack/test-stores';
import { describe, expect, it } from 'vitest';
import type { Bus } from './queues.ts';
import { createReconciler, type ReconcilerOptions, type ReconcilerTimings } from './reconciler.ts';
import { busReady, eventually, onEnd, testBus, testConsumer, ticket } from './test-bus.ts';

/** A reconciler whose requests a test waits for. */
function testReconciler(
  bus: Bus,
  answer: (olderThanMs: number) => number | null,
  timings: Partial<ReconcilerTimings> = {},
) {
  const asked: number[] = [];
  let requeued = 0;
  const options: ReconcilerOptions = {
    bus,
    port: {
      async requeue(olderThanMs) {
        asked.push(olderThanMs);
        return answer(olderThanMs);
      },
    },
    requeued: () => (requeued += 1),
    timings: { watchMs: 20, periodMs: 3_600_000, ...timings },
  };
  const reconciler = createReconciler(options);
  onEnd(() => reconciler.stop());
  return { reconciler, asked, requeued: () => requeued };
}

describe('reconciler', () => {
  it('asks for everything once on an unknown Redis, then only for what is old', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const { reconciler, asked, requeued } = testReconciler(bus, (ms) => (ms === 0 ? 7 : 0), {
      periodMs: 0,
      olderThanMs: 10_000,
    });
    await reconciler.tick();
    await reconciler.tick();
    expect(asked).toEqual([0, 10_000]);
    expect(requeued()).toBe(1);
  });

  it('asks at its start for what the process before it may have held, then for what is old', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    await testReconciler(bus, () => 0).reconciler.tick();
    const timings = { periodMs: 0, olderThanMs: 10_000, firstOlderThanMs: 1_000 };
    const { reconciler, asked } = testReconciler(bus, () => 0, timings);
    await reconciler.tick();
    await reconciler.tick();
    expect(asked).toEqual([1_000, 10_000]);
  });

  it('asks at once after FLUSHALL, also while a job is active (T09)', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const { reconciler, asked } = testReconciler(bus, () => 1);
    const held = Promise.withResolvers<void>();
    const consumer = testConsumer(bus, { handle: () => held.promise });
    await bus.add([ticket()]);
    await consumer.seen(1);
    reconciler.start();
    await eventually(() => asked.length === 1);
    await bus.inner.redis.flushall();
    await eventually(() => asked.length === 2);
    held.resolve();
    await reconciler.tick();
    expect(asked).toEqual([0, 0]);
  });

  it('asks at once after a restart, even one that kept its data (T11)', async () => {
    const redis = await spareRedis({ durability: 'durable' });
    onEnd(redis.stop);
    const { bus } = await testBus({ url: redis.url });
    await busReady(bus);
    const { reconciler, asked } = testReconciler(bus, () => 0);
    reconciler.start();
    await eventually(() => asked.length === 1);
    await redis.restart();
    await eventually(() => asked.length === 2);
    expect(asked).toEqual([0, 0]);
  });

  it('asks again when the requeueing failed or another process led it', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const answers: (() => number | null)[] = [
      () => {
        throw new Error('postgres away');
      },
      () => null,
      () => 0,
    ];
    const { reconciler, asked } = testReconciler(bus, () => answers.shift()?.() ?? null);
    await expect(reconciler.tick()).rejects.toThrow('postgres away');
    await reconciler.tick();
    await reconciler.tick();
    await reconciler.tick();
    expect(asked).toEqual([0, 0, 0]);
  });

  it('waits while Redis is away', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    await redis.kill();
    const { bus } = await testBus({ url: redis.url });
    const { reconciler, asked } = testReconciler(bus, () => 0);
    await reconciler.tick();
    expect(asked).toEqual([]);
  });
});
