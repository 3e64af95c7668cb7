/** Adding: once per id, an outcome per ticket, and never a hang, wherever Redis is. */
import { spareRedis } from '@makima/stack/test-stores';
import { describe, expect, it } from 'vitest';
import { openProxy } from './test-proxy.ts';
import { busReady, onEnd, stateOf, testBus, ticket } from './test-bus.ts';
import type { Ticket } from './queues.ts';

describe('add', () => {
  it('adds a ticket once however often it is added (M4)', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const one = ticket();
    const outcomes = await bus.add([one, one]);
    await bus.add([one]);
    expect(outcomes).toEqual([
      { jobId: one.jobId, error: undefined },
      { jobId: one.jobId, error: undefined },
    ]);
    const counts = await bus.inner.queues.get('evaluate-contract')?.getJobCounts('waiting');
    expect(counts).toEqual({ waiting: 1 });
    expect(await stateOf(bus, 'evaluate-contract', one.jobId)).toBe('waiting');
  });

  it('lets one bad ticket fail alone', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const good = [ticket(), ticket()];
    const bad = { ...ticket(), jobId: 'with:colon' };
    const big = { ...ticket(), payload: { text: 'x'.repeat(3_000) } } as unknown as Ticket;
    const stranger = { ...ticket(), queue: 'no-such-queue' } as unknown as Ticket;
    const outcomes = await bus.add([good[0]!, bad, big, stranger, good[1]!]);
    expect(outcomes.map((outcome) => outcome.error === undefined)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(await stateOf(bus, 'evaluate-contract', good[1]!.jobId)).toBe('waiting');
  });

  it('answers in time while Redis is away from the start, and works when it comes', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    await redis.kill();
    const { bus } = await testBus({ url: redis.url });
    const [outcome] = await bus.add([ticket()]);
    expect(outcome?.error).toBeInstanceOf(Error);
    await expect(bus.ping()).rejects.toThrow();
    await redis.restart();
    await busReady(bus);
    const [second] = await bus.add([ticket()]);
    expect(second?.error).toBeUndefined();
    await bus.ping();
  });

  it('answers in time on a half-open socket and comes back by itself (M3)', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    const proxy = await openProxy(redis.url);
    onEnd(() => proxy.close());
    const { bus } = await testBus({ url: proxy.url });
    await busReady(bus);
    proxy.freeze();
    const [outcome] = await bus.add([ticket()]);
    expect(outcome?.error?.message).toMatch(/timed out/);
    const back = new Promise<void>((resolve) => bus.onReady(resolve));
    await back;
    const [second] = await bus.add([ticket()]);
    expect(second?.error).toBeUndefined();
  });

  it('closes in time while Redis stands still; twice is fine', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    const { bus } = await testBus({ url: redis.url });
    await busReady(bus);
    redis.pause();
    const since = performance.now();
    await Promise.all([bus.close(200), bus.close(200)]);
    expect(performance.now() - since).toBeLessThan(1_000);
    redis.resume();
  });
});
