/** Hints: arrive, are shared, survive reconnects, and never trouble the publisher. */
import { channels } from '@makima/contracts/channels';
import { spareRedis } from '@makima/stack/test-stores';
import { describe, expect, it } from 'vitest';
import type { Heard } from './heard.ts';
import { openPubSub, type PubSub } from './pubsub.ts';
import type { Bus } from './queues.ts';
import { openProxy } from './test-proxy.ts';
import { busReady, eventually, onEnd, testBus } from './test-bus.ts';

const one = channels.taskDone('one');
const two = channels.taskDone('two');

function testPubSub(bus: Bus): PubSub {
  const pubsub = openPubSub(bus);
  onEnd(() => pubsub.close());
  return pubsub;
}

/** A listener whose calls a test waits for. */
function ear() {
  const heard: Heard[] = [];
  let arrived = Promise.withResolvers<void>();
  return {
    heard,
    listen: (each: Heard): void => {
      heard.push(each);
      arrived.resolve();
    },
    seen: async (count: number): Promise<Heard[]> => {
      while (heard.length < count) {
        await arrived.promise;
        arrived = Promise.withResolvers();
      }
      return heard;
    },
  };
}

async function subscribers(bus: Bus, channel: string): Promise<number> {
  return Number((await bus.inner.redis.pubsub('NUMSUB', channel))[1]);
}

describe('pub/sub', () => {
  it('brings a hint to every listener of its channel, and to nobody else', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const [here, there] = [testPubSub(bus), testPubSub(bus)];
    const [first, second, third, other] = [ear(), ear(), ear(), ear()];
    await here.subscribe(one, first.listen);
    await here.subscribe(one, second.listen);
    await there.subscribe(one, third.listen);
    await there.subscribe(two, other.listen);
    there.publish([{ channel: one, body: 'look' }]);
    const hint = { kind: 'hint', channel: one, body: 'look' };
    for (const each of [first, second, third]) expect(await each.seen(1)).toEqual([hint]);
    expect(other.heard).toEqual([]);
  });

  it('sends the same hint of one turn once, and different ones in order', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const { listen, seen } = ear();
    await pubsub.subscribe(one, listen);
    const look = { channel: one, body: 'a' };
    pubsub.publish([look, look]);
    pubsub.publish([look, { channel: one, body: 'b' }]);
    const heard = await seen(2);
    expect(heard.map((each) => each.kind === 'hint' && each.body)).toEqual(['a', 'b']);
  });

  it('leaves a channel with its last listener; leaving twice is fine', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const [first, second] = [ear(), ear()];
    const leaveFirst = await pubsub.subscribe(one, first.listen);
    const leaveSecond = await pubsub.subscribe(one, second.listen);
    leaveFirst();
    leaveFirst();
    pubsub.publish([{ channel: one, body: 'still' }]);
    await second.seen(1);
    expect(first.heard).toEqual([]);
    leaveSecond();
    await eventually(async () => (await subscribers(bus, one)) === 0);
    await pubsub.subscribe(one, first.listen);
    pubsub.publish([{ channel: one, body: 'back' }]);
    await first.seen(1);
  });

  it('goes on when a listener throws', async () => {
    const { bus, log } = await testBus();
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const { listen, seen } = ear();
    await pubsub.subscribe(one, () => {
      throw new Error('bad ear');
    });
    await pubsub.subscribe(one, listen);
    pubsub.publish([{ channel: one, body: '' }]);
    await seen(1);
    expect(await log.line('hint listener failed')).toMatchObject({ err: { message: 'bad ear' } });
  });

  it('subscribes again after CLIENT KILL and tells every listener once (T18)', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const [first, second] = [ear(), ear()];
    await pubsub.subscribe(one, first.listen);
    await pubsub.subscribe(two, second.listen);
    await bus.inner.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await first.seen(1);
    await second.seen(1);
    pubsub.publish([{ channel: one, body: 'after' }]);
    expect(await first.seen(2)).toEqual([
      { kind: 'missed', channel: one },
      { kind: 'hint', channel: one, body: 'after' },
    ]);
    expect(second.heard).toEqual([{ kind: 'missed', channel: two }]);
  });

  it('notices a half-open socket by its beat', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    const proxy = await openProxy(redis.url);
    onEnd(() => proxy.close());
    const { bus } = await testBus({ url: proxy.url });
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const { listen, seen } = ear();
    await pubsub.subscribe(one, listen);
    proxy.freeze();
    expect(await seen(1)).toEqual([{ kind: 'missed', channel: one }]);
  });

  it('never troubles anybody while Redis is away, and catches up when it comes', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    await redis.kill();
    const { bus, metrics } = await testBus({ url: redis.url });
    const pubsub = testPubSub(bus);
    const { listen, seen } = ear();
    await pubsub.subscribe(one, listen);
    pubsub.publish([{ channel: one, body: 'lost' }]);
    await eventually(async () =>
      (await metrics.text()).includes(
        'makima_hints_published_total{outcome="lost",service="test"} 1',
      ),
    );
    await redis.restart();
    expect(await seen(1)).toEqual([{ kind: 'missed', channel: one }]);
    await busReady(bus);
    pubsub.publish([{ channel: one, body: 'found' }]);
    await seen(2);
  });

  it('refuses bodies that are too big, and is silent after close', async () => {
    const { bus, metrics } = await testBus();
    await busReady(bus);
    const pubsub = testPubSub(bus);
    const { listen, heard } = ear();
    await pubsub.subscribe(one, listen);
    pubsub.publish([{ channel: one, body: 'x'.repeat(2_000) }]);
    await Promise.all([pubsub.close(), pubsub.close()]);
    pubsub.publish([{ channel: one, body: 'late' }]);
    (await pubsub.subscribe(one, listen))();
    expect(heard).toEqual([]);
    expect(await metrics.text()).toContain('outcome="lost",service="test"} 1');
  });
});
