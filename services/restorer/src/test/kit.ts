/**
 * What the restorer's tests stand on: real stores, a house in them, and the wiring of `main.ts`.
 *
 * Law: no mocks; a test waits for rows and jobs, and ticks what would run by itself.
 */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { JobContext } from '@makima/bus/delivery';
import { openDatabase } from '@makima/db/client';
import { limits } from '@makima/domain/limits';
import {
  endedReport,
  openHouse,
  testEngine,
  testSettings,
  type ConnectedMachine,
  type House,
} from '@makima/engine/test/house';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import { createApp } from '@makima/runtime/lifecycle';
import { createMetrics, type Metrics } from '@makima/runtime/metrics';
import { testLog, type TestLog } from '@makima/runtime/test-log';
import { testDatabase, testRedis } from '@makima/stack/test-stores';
import { restorerConsumers, restorerHandlers } from '../consumers.ts';
import { restoreOne } from '../jobs/restore-supervisor.ts';
import { restorerMetrics } from '../restorer-metrics.ts';
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
export async function testHouse(databaseUrl?: string): Promise<House> {
  const url = databaseUrl ?? (await ownDatabase());
  const database = openDatabase(url, { max: 12 });
  onEnd(() => database.close());
  return openHouse(testEngine(database));
}

async function ownDatabase(): Promise<string> {
  const database = await testDatabase();
  onEnd(() => database.drop());
  return database.url;
}

export interface Led {
  readonly machine: ConnectedMachine;
  readonly contract: ContractDetail;
  readonly supervisor: { readonly taskId: string; readonly attempt: number };
}

/** A contract whose supervisor runs. */
export async function ledContract(house: House): Promise<Led> {
  const machine = await house.connect();
  const contract = await house.contract();
  await house.assign(machine);
  return { machine, contract, supervisor: { taskId: contract.supervisorTaskId ?? '', attempt: 1 } };
}

/** Its agent dies, as the machine tells it. */
export async function crash(led: Led, attempt = 1): Promise<void> {
  const { taskId } = led.supervisor;
  await led.machine.report(endedReport({ taskId, attempt }, { outcome: 'crashed' }));
}

export interface TestRestorer extends Wire {
  readonly log: TestLog;
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

/** The restorer's parts without its sweep, with short times. */
export async function startRestorer(stores: Stores): Promise<TestRestorer> {
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  const wire = openWire({
    ...stores,
    name: 'test-restorer',
    limits,
    settings: testSettings,
    log,
    metrics,
    onBroken: () => undefined,
  });
  const { engine, bus, relay } = wire;
  const handlers = restorerHandlers(engine, restoreOne(engine, restorerMetrics(metrics)));
  const consumers = restorerConsumers(bus, handlers, {
    onDeaf: () => undefined,
    timings: { lockMs: 1_000, stalledMs: 300, blockMs: 200, canaryMs: 100, drainMs: 1_000 },
  });
  const app = createApp({ log, parts: [wire.stores, relay, consumers] });
  await app.start();
  const stop = async (): Promise<void> => void (await app.stop());
  onEnd(stop);
  return Object.assign(wire, { log, metrics, stop });
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

/** How many events of this type there are. */
export async function countEvents(house: House, type: string): Promise<number> {
  const rows = await house.engine.database.sql`select 1 from events where type = ${type}`;
  return rows.length;
}
