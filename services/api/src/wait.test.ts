/** A hold ends when it comes about, by a hint or without, and for every other reason there is. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBus, type Bus } from '@makima/bus/queues';
import { openPubSub, type PubSub } from '@makima/bus/pubsub';
import { MakimaError } from '@makima/domain/error';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog } from '@makima/runtime/test-log';
import { testRedis, type TestRedis } from '@makima/stack/test-stores';
import { createHolds, holdsPerKeyMax, type HoldOptions } from './wait.ts';

let redis: TestRedis;
let bus: Bus;
let pubsub: PubSub;
const metrics = createMetrics({ service: 'test' });

beforeAll(async () => {
  redis = await testRedis();
  bus = openBus({ url: redis.url, log: testLog(), metrics });
  pubsub = openPubSub(bus);
});
afterAll(async () => {
  await pubsub.close();
  await bus.close();
  await redis.stop();
});

const forever = 60_000;

function holding(
  part: Partial<HoldOptions<number>> & Pick<HoldOptions<number>, 'read'>,
): HoldOptions<number> {
  return {
    holder: 'key',
    channels: [`test:${randomUUID()}`],
    holdMs: forever,
    rereadMs: forever,
    signal: new AbortController().signal,
    isOver: (value) => value > 0,
    ...part,
  };
}

/** Resolves when the hold has read once, and counts on. */
function counted(values: () => number) {
  const first = Promise.withResolvers<void>();
  let reads = 0;
  return {
    first: first.promise,
    get reads() {
      return reads;
    },
    read: async () => {
      reads += 1;
      first.resolve();
      return values();
    },
  };
}

describe('a hold', () => {
  it('ends at once when it is over already', async () => {
    const holds = createHolds({ pubsub, metrics });
    expect(await holds.hold(holding({ read: async () => 1 }))).toEqual({ value: 1, ended: 'over' });
    expect(holds.size).toBe(0);
  });

  it('is woken by a hint and reads the truth', async () => {
    const holds = createHolds({ pubsub, metrics });
    let value = 0;
    const read = counted(() => value);
    const channel = `test:${randomUUID()}`;
    const held = holds.hold(holding({ channels: [channel], read: read.read }));
    await read.first;
    value = 7;
    pubsub.publish([{ channel, body: '' }]);
    expect(await held).toEqual({ value: 7, ended: 'over' });
    expect(read.reads).toBe(2);
  });

  it('finds out without a hint at the next look', async () => {
    const holds = createHolds({ pubsub, metrics });
    let left = 3;
    const held = await holds.hold(holding({ rereadMs: 5, read: async () => (left-- > 0 ? 0 : 1) }));
    expect(held.ended).toBe('over');
  });

  it('looks again soon after a hint whose cause cannot be read yet', async () => {
    const holds = createHolds({ pubsub, metrics });
    const channel = `test:${randomUUID()}`;
    let left = 3;
    const read = counted(() => (left-- > 0 ? 0 : 1));
    const held = holds.hold(
      holding({ channels: [channel], chaseMs: [1, 1, 1, 1], read: read.read }),
    );
    await read.first;
    pubsub.publish([{ channel, body: '' }]);
    expect((await held).ended).toBe('over');
  });

  it('is late at its deadline, with what was read last', async () => {
    const holds = createHolds({ pubsub, metrics });
    expect(await holds.hold(holding({ holdMs: 10, read: async () => -1 }))).toEqual({
      value: -1,
      ended: 'late',
    });
    expect(await holds.hold(holding({ holdMs: 0, read: async () => -1 }))).toEqual({
      value: -1,
      ended: 'late',
    });
  });

  it('ends when its caller goes', async () => {
    const holds = createHolds({ pubsub, metrics });
    const caller = new AbortController();
    const read = counted(() => 0);
    const held = holds.hold(holding({ signal: caller.signal, read: read.read }));
    await read.first;
    caller.abort();
    expect((await held).ended).toBe('gone');
  });

  it('ends when the process drains, and so does every later one', async () => {
    const holds = createHolds({ pubsub, metrics });
    const read = counted(() => 0);
    const held = holds.hold(holding({ read: read.read }));
    await read.first;
    holds.drain();
    expect((await held).ended).toBe('draining');
    expect((await holds.hold(holding({ read: async () => 0 }))).ended).toBe('draining');
  });

  it('survives a store that is away for a moment, not one that is away at the start', async () => {
    const holds = createHolds({ pubsub, metrics });
    const away = new MakimaError('DEPENDENCY_UNAVAILABLE', 'away', { retryable: true });
    const answers = [0, away, away, 5];
    const read = async (): Promise<number> => {
      const next = answers.shift();
      if (typeof next === 'number') return next;
      throw next;
    };
    expect(await holds.hold(holding({ rereadMs: 2, read }))).toEqual({ value: 5, ended: 'over' });
    await expect(holds.hold(holding({ read: () => Promise.reject(away) }))).rejects.toBe(away);
  });

  it('tells that it still holds', async () => {
    const holds = createHolds({ pubsub, metrics });
    let value = 0;
    const held = await holds.hold(
      holding({ rereadMs: 1, read: async () => value, beatMs: 1, onBeat: () => (value = 1) }),
    );
    expect(held.ended).toBe('over');
  });

  it('is bounded per key', async () => {
    const holds = createHolds({ pubsub, metrics });
    const ends = Array.from({ length: holdsPerKeyMax }, () => holds.open('greedy', holdsPerKeyMax));
    expect(() => holds.open('greedy', holdsPerKeyMax)).toThrow(/held open/);
    holds.open('modest', holdsPerKeyMax)();
    for (const end of ends) end();
    for (const end of ends) end();
    expect(holds.size).toBe(0);
  });
});
