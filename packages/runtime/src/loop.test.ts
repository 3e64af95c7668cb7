/** Never two ticks at a time, poke is heard, errors end nothing, stop waits. */
import { afterEach, describe, expect, it } from 'vitest';
import { createLoop, type Loop } from './loop.ts';
import { createMetrics } from './metrics.ts';
import { testLog } from './test-log.ts';

const hour = 3_600_000;
const loops: Loop[] = [];
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.stop()));
});

/** A loop whose ticks a test sees and lets end. */
function watched(intervalMs = hour) {
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  const ticks: PromiseWithResolvers<number | void>[] = [];
  let begun = Promise.withResolvers<void>();
  let atOnce = 0;
  let mostAtOnce = 0;
  const loop = createLoop({
    name: 'watched',
    intervalMs,
    log,
    metrics,
    async tick() {
      const tick = Promise.withResolvers<number | void>();
      ticks.push(tick);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      begun.resolve();
      try {
        return await tick.promise;
      } finally {
        atOnce -= 1;
      }
    },
  });
  loops.push(loop);
  return {
    loop,
    log,
    metrics,
    mostAtOnce: () => mostAtOnce,
    next: async (): Promise<PromiseWithResolvers<number | void>> => {
      while (ticks.length === 0) {
        await begun.promise;
        begun = Promise.withResolvers();
      }
      return ticks.shift() as PromiseWithResolvers<number | void>;
    },
  };
}

describe('createLoop', () => {
  it('ticks at its start, then at its interval or after what the tick says', async () => {
    const { loop, next } = watched(1);
    loop.start();
    loop.start();
    (await next()).resolve();
    (await next()).resolve(0);
    (await next()).resolve();
  });

  it('hears a poke, also one during a tick, and never overlaps itself', async () => {
    const { loop, next, mostAtOnce } = watched();
    loop.start();
    const first = await next();
    for (let n = 0; n < 10; n += 1) loop.poke();
    const byHand = loop.tick();
    first.resolve();
    (await next()).resolve();
    await byHand;
    (await next()).resolve();
    loop.poke();
    (await next()).resolve();
    expect(mostAtOnce()).toBe(1);
  });

  it('logs and counts an error and goes on; a tick by hand throws it', async () => {
    const { loop, next, log, metrics } = watched(1);
    loop.start();
    (await next()).reject(new Error('bad tick'));
    expect(await log.line('tick failed')).toMatchObject({
      loop: 'watched',
      err: { message: 'bad tick' },
    });
    (await next()).resolve(hour);
    const byHand = loop.tick();
    (await next()).reject(new Error('bad hand'));
    await expect(byHand).rejects.toThrow('bad hand');
    expect(await metrics.text()).toContain('outcome="error",service="test"} 2');
  });

  it('stop waits for the running tick; twice and before start are fine', async () => {
    const { loop, next } = watched(1);
    await loop.stop();
    loop.poke();
    loop.start();
    const tick = await next();
    let stopped = false;
    const stopping = Promise.all([loop.stop(), loop.stop()]).then(() => (stopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    tick.resolve();
    await stopping;
    loop.start();
    (await next()).resolve(hour);
  });
});
