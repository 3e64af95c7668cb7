/** The relay loses nothing and repeats at most a delivery, whenever it or Redis dies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initRacepoints, racepointReached, releaseRacepoint } from '@makima/runtime/racepoint';
import { spareRedis, testRedis } from '@makima/stack/test-stores';
import { describe, expect, it } from 'vitest';
import { createOutboxRelay, type OutboxRelay } from './outbox-relay.ts';
import type { Bus } from './queues.ts';
import { fileOutbox, type FileOutbox } from './test-outbox.ts';
import { busReady, eventually, onEnd, testBus, testConsumer, ticket } from './test-bus.ts';

function testOutbox(leaseMs = 200): FileOutbox & { readonly file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'makima-outbox-'));
  onEnd(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'rows.json');
  return { ...fileOutbox(file, leaseMs), file };
}

function testRelay(bus: Bus, port: FileOutbox, scanMs = 50): OutboxRelay {
  const relay = createOutboxRelay({ bus, port, scanMs });
  onEnd(() => relay.stop());
  return relay;
}

const allPublished = (outbox: FileOutbox) => () => outbox.rows().every((row) => row.published);

describe('outbox relay', () => {
  it('relays at once when poked, more than one claim of rows', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const outbox = testOutbox(60_000);
    const relay = testRelay(bus, outbox, 3_600_000);
    relay.start();
    await relay.tick();
    outbox.insert(Array.from({ length: 450 }, () => ticket()));
    relay.poke();
    await eventually(allPublished(outbox));
    const counts = await bus.inner.queues.get('evaluate-contract')?.getJobCounts('waiting');
    expect(counts).toEqual({ waiting: 450 });
  });

  it('finds rows by its scan when nobody pokes', async () => {
    const { bus } = await testBus();
    const outbox = testOutbox();
    testRelay(bus, outbox).start();
    outbox.insert([ticket()]);
    await eventually(allPublished(outbox));
  });

  it('gives back what Redis refuses, with the reason, and relays the rest', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const outbox = testOutbox();
    outbox.insert([ticket(), { ...ticket(), jobId: 'not:this' }, ticket()]);
    await testRelay(bus, outbox).tick();
    expect(outbox.rows().map((row) => row.published)).toEqual([true, false, true]);
    expect(outbox.rows()[1]?.lastError).toContain(':');
  });

  it('claims nothing while Redis is away, and relays when it is back (T08)', async () => {
    const redis = await spareRedis();
    onEnd(redis.stop);
    const { bus } = await testBus({ url: redis.url });
    await busReady(bus);
    await redis.kill();
    await eventually(() => !bus.ready);
    const outbox = testOutbox(60_000);
    const relay = testRelay(bus, outbox);
    relay.start();
    outbox.insert([ticket(), ticket()]);
    relay.poke();
    await relay.tick();
    expect(outbox.rows().map((row) => row.leasedUntil)).toEqual([0, 0]);
    await redis.restart();
    await eventually(allPublished(outbox));
  });

  it.each(['outbox.after_claim', 'outbox.after_add'])(
    'a crash at %s repeats at most a delivery: one effect per row (T05, T06)',
    async (place) => {
      const redis = await testRedis();
      onEnd(redis.stop);
      const outbox = testOutbox();
      outbox.insert([ticket(), ticket(), ticket()]);
      const fixture = join(import.meta.dirname, 'test-fixtures', 'relay.ts');
      const args = [fixture, redis.url, outbox.file, `${place}=crash`];
      const child = spawn(process.execPath, args, { stdio: 'inherit' });
      expect(await once(child, 'exit')).toEqual([137, null]);
      expect(outbox.rows().map((row) => row.published)).toEqual([false, false, false]);

      const { bus } = await testBus({ url: redis.url });
      const consumer = testConsumer(bus);
      testRelay(bus, outbox).start();
      await eventually(allPublished(outbox));
      await consumer.seen(3);
      const effects = new Set(consumer.deliveries.map((each) => each.payload.contractId));
      expect([effects.size, consumer.deliveries.length]).toEqual([3, 3]);
    },
  );

  it('a relay that slept through its lease marks what another relayed, without harm (T07)', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const outbox = testOutbox(1);
    outbox.insert([ticket()]);
    initRacepoints('outbox.after_claim@1=latch');
    onEnd(() => initRacepoints(undefined));
    const sleeper = testRelay(bus, outbox).tick();
    await racepointReached('outbox.after_claim');
    await eventually(async () => {
      await testRelay(bus, outbox).tick();
      return allPublished(outbox)();
    });
    const consumer = testConsumer(bus);
    await consumer.seen(1);
    releaseRacepoint('outbox.after_claim');
    await sleeper;
    const queue = bus.inner.queues.get('evaluate-contract');
    await eventually(async () => (await queue?.getJobCountByTypes('waiting', 'active')) === 0);
    expect(consumer.deliveries.length).toBe(1);
  });
});
