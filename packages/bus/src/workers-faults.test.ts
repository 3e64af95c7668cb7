/** What Redis and the network do to workers, on real processes and sockets. */
import { spareRedis, type SpareRedis } from '@makima/stack/test-stores';
import { describe, expect, it } from 'vitest';
import { openProxy } from './test-proxy.ts';
import { busReady, eventually, onEnd, stateOf, testBus, testConsumer, ticket } from './test-bus.ts';

const queue = 'evaluate-contract';

async function redisToBreak(options?: Parameters<typeof spareRedis>[0]): Promise<SpareRedis> {
  const redis = await spareRedis(options);
  onEnd(redis.stop);
  return redis;
}

describe('workers under faults', () => {
  it('go on after a kill -9 of Redis with what was queued before (T10)', async () => {
    const redis = await redisToBreak({ durability: 'durable' });
    const { bus } = await testBus({ url: redis.url });
    await busReady(bus);
    const before = ticket();
    await bus.add([before]);
    const held = Promise.withResolvers<void>();
    const consumer = testConsumer(bus, { concurrency: 1, handle: () => held.promise });
    await consumer.seen(1);
    const behind = ticket();
    await bus.add([behind]);
    await redis.kill();
    held.resolve();
    await redis.restart();
    await busReady(bus);
    const after = ticket();
    await bus.add([after]);
    await eventually(async () => (await stateOf(bus, queue, behind.jobId)) === 'completed');
    await eventually(async () => (await stateOf(bus, queue, after.jobId)) === 'completed');
    await eventually(async () => (await stateOf(bus, queue, before.jobId)) === 'completed');
  });

  it('go on after FLUSHALL while a job is active (M6)', async () => {
    const { bus } = await testBus();
    const held = Promise.withResolvers<void>();
    const consumer = testConsumer(bus, { handle: () => held.promise });
    await busReady(bus);
    await bus.add([ticket()]);
    await consumer.seen(1);
    await bus.inner.redis.flushall();
    held.resolve();
    const later = ticket();
    await bus.add([later]);
    await consumer.seen(2);
    await eventually(async () => (await stateOf(bus, queue, later.jobId)) === 'completed');
  });

  it('take jobs again when their sockets have gone half-open (M2, T15)', async () => {
    const redis = await redisToBreak();
    const proxy = await openProxy(redis.url);
    onEnd(() => proxy.close());
    const direct = await testBus({ url: redis.url });
    const behindProxy = await testBus({ url: proxy.url });
    const consumer = testConsumer(behindProxy.bus);
    await busReady(direct.bus);
    await direct.bus.add([ticket()]);
    await consumer.seen(1);
    proxy.freeze();
    await direct.bus.add([ticket()]);
    await consumer.seen(2);
  });

  it('abort the handler whose lock was lost (M5)', async () => {
    const { bus, metrics } = await testBus();
    const aborted = Promise.withResolvers<unknown>();
    const consumer = testConsumer(bus, {
      timings: { lockMs: 200, stalledMs: 60_000 },
      handle: ({ context }) => {
        context.signal.addEventListener('abort', () => aborted.resolve(context.signal.reason));
        return aborted.promise.then(() => undefined);
      },
    });
    await busReady(bus);
    const job = ticket();
    await bus.add([job]);
    await consumer.seen(1);
    await bus.inner.redis.del(`mk1:mk1-${queue}:${job.jobId}:lock`);
    expect(await aborted.promise).toBe('lock lost');
    expect(await metrics.text()).toContain(
      `makima_job_lock_lost_total{queue="${queue}",service="test"} 1`,
    );
  });

  it('take over the job of a worker that fell silent, and count the delivery', async () => {
    const redis = await redisToBreak();
    const proxy = await openProxy(redis.url);
    onEnd(() => proxy.close());
    const silent = await testBus({
      url: proxy.url,
      timings: { socketMs: 60_000, blockingSocketMs: 60_000 },
    });
    const healthy = await testBus({ url: redis.url });
    const never = new Promise<void>(() => {});
    const first = testConsumer(silent.bus, { timings: { drainMs: 10 }, handle: () => never });
    await busReady(healthy.bus);
    const job = ticket();
    await healthy.bus.add([job]);
    await first.seen(1);
    proxy.freeze();
    const second = testConsumer(healthy.bus, { timings: { stalledMs: 100 } });
    const [taken] = await second.seen(1);
    expect(taken?.context).toMatchObject({ jobId: job.jobId, attempt: 2 });
  });

  it('stop by their deadline while Redis stands still (bullmq#4656)', async () => {
    const redis = await redisToBreak();
    const { bus } = await testBus({ url: redis.url });
    const consumer = testConsumer(bus, { timings: { drainMs: 300 } });
    await busReady(bus);
    await bus.add([ticket()]);
    await consumer.seen(1);
    redis.pause();
    const since = performance.now();
    await Promise.all([consumer.consumer.stop(), consumer.consumer.stop()]);
    expect(performance.now() - since).toBeLessThan(1_000);
    redis.resume();
  });

  it('stop by their deadline when Redis never came', async () => {
    const redis = await redisToBreak();
    await redis.kill();
    const { bus } = await testBus({ url: redis.url });
    const consumer = testConsumer(bus, { timings: { drainMs: 100 } });
    await consumer.consumer.stop();
  });

  it('let running handlers end, and abort those that take longer than the drain', async () => {
    const { bus } = await testBus();
    const [quickOne, slowOne] = [ticket(), ticket()];
    const release = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const consumer = testConsumer(bus, {
      timings: { drainMs: 200 },
      handle: ({ context }) => {
        if (context.jobId === quickOne.jobId) return release.promise;
        context.signal.addEventListener('abort', () => aborted.resolve());
        return aborted.promise;
      },
    });
    await busReady(bus);
    await bus.add([quickOne, slowOne]);
    await consumer.seen(2);
    const stopping = consumer.consumer.stop();
    release.resolve();
    await Promise.all([stopping, aborted.promise]);
    expect(await stateOf(bus, queue, quickOne.jobId)).toBe('completed');
  });
});

describe('the watchdog', () => {
  it('sees an idle worker alive by its canaries, which leave nothing behind', async () => {
    const { bus } = await testBus();
    const consumer = testConsumer(bus, { timings: { canaryMs: 20, deafMs: 200 } });
    await busReady(bus);
    const { signal } = new AbortController();
    const until = performance.now() + 400; // twice the time after which it would be deaf
    while (performance.now() < until) await consumer.consumer.tick?.();
    expect(() => consumer.consumer.health.check(signal)).not.toThrow();
    const queueOf = bus.inner.queues.get(queue);
    await eventually(async () => (await queueOf?.getJobCountByTypes('waiting', 'active')) === 0);
    expect(await queueOf?.getJobCounts('completed', 'failed')).toEqual({ completed: 0, failed: 0 });
  });

  it('does not take a queue that a person paused for a deaf worker', async () => {
    const { bus, metrics } = await testBus();
    await busReady(bus);
    const queueOf = bus.inner.queues.get(queue);
    await queueOf?.pause();
    const consumer = testConsumer(bus, { timings: { canaryMs: 20, deafMs: 100 } });
    const until = performance.now() + 300;
    while (performance.now() < until) await consumer.consumer.tick?.();
    expect(await metrics.text()).not.toMatch(/makima_worker_rebuilt_total\{/);
    await queueOf?.resume();
    await bus.add([ticket()]);
    await consumer.seen(1);
  });

  it('builds a deaf worker anew, and gives up on the second that is deaf', async () => {
    const { bus, log, metrics } = await testBus();
    const gaveUp = Promise.withResolvers<string>();
    const consumer = testConsumer(bus, {
      onDeaf: gaveUp.resolve,
      timings: { canaryMs: 20, deafMs: 300, drainMs: 50 },
    });
    await busReady(bus);
    await bus.add([ticket()]);
    await consumer.seen(1);
    // A list that became a string: every fetch fails, while PING and adding go on.
    await bus.inner.redis.set(`mk1:mk1-${queue}:active`, 'not a list');
    expect(await gaveUp.promise).toBe(queue);
    expect(log.lines.some((line) => line.message.includes('takes no jobs'))).toBe(true);
    expect(await metrics.text()).toContain('makima_worker_rebuilt_total');
  });
});
