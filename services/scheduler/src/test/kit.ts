/**
 * What the scheduler's tests stand on: real stores, a house in them, and the wiring of `main.ts`.
 *
 * Law: no mocks; a test waits for rows and jobs, and ticks what would run by itself.
 */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { JobContext } from '@makima/bus/delivery';
import { openDatabase } from '@makima/db/client';
import { limits } from '@makima/domain/limits';
import type { Settings } from '@makima/engine/context';
import { openHouse, testEngine, testSettings, type House } from '@makima/engine/test/house';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog, type TestLog } from '@makima/runtime/test-log';
import { testDatabase, testRedis } from '@makima/stack/test-stores';
import { openWire, type Wire } from '@makima/wire/wire';

/** Run when the test is over, last in first out. A hook of this module would be of its worker's first file only. */
export function onEnd(cleanup: () => unknown): void {
  onTestFinished(async () => {
    await cleanup();
  });
}

export interface Stores {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export async function testStores(): Promise<Stores> {
  const [database, redis] = await Promise.all([testDatabase(), testRedis()]);
  onEnd(() => Promise.all([database.drop(), redis.stop()]));
  return { databaseUrl: database.url, redisUrl: redis.url };
}

/** A house over a pool of its own, in a database of its own unless given. */
export async function testHouse(
  databaseUrl?: string,
  settings: Partial<Settings> = {},
): Promise<House> {
  const url = databaseUrl ?? (await ownDatabase());
  const database = openDatabase(url, { max: 6 });
  onEnd(() => database.close());
  return openHouse(testEngine(database, settings));
}

async function ownDatabase(): Promise<string> {
  const database = await testDatabase();
  onEnd(() => database.drop());
  return database.url;
}

export interface TestWire extends Wire {
  readonly log: TestLog;
}

export function testWire(stores: Stores): TestWire {
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  const wire = openWire({
    ...stores,
    name: 'test-scheduler',
    limits,
    settings: testSettings,
    log,
    metrics,
    onBroken: () => undefined,
    timings: {
      socketMs: 500,
      blockingSocketMs: 1_000,
      commandMs: 500,
      connectMs: 500,
      retryMaxMs: 200,
    },
  });
  onEnd(() => wire.stores.stop?.());
  return Object.assign(wire, { log });
}

/** What a handler gets beside its payload. */
export function delivery(): JobContext {
  return { signal: new AbortController().signal, jobId: randomUUID(), attempt: 1, log: testLog() };
}

/** Resolves when `look` answers something true; for states that send no signal. */
export async function eventually<T>(look: () => Promise<T> | T): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Mailed {
  readonly queue: string;
  readonly jobId: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Outbox rows that were not relayed, oldest first. */
export async function mailOf(house: House, queue?: string): Promise<Mailed[]> {
  const rows = await house.engine.database.sql<Mailed[]>`
    select queue, job_id, payload from outbox where published_at is null order by id`;
  return rows.filter((row) => queue === undefined || row.queue === queue);
}

/** As if a relay had taken everything. */
export async function relayed(house: House): Promise<void> {
  await house.engine.database.sql`update outbox set published_at = clock()`;
}
