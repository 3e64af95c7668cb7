/**
 * What the gateway's tests stand on: real stores, a house in them, gateways in this process on ports of
 * their own, and the cleaning up.
 *
 * Law: no mocks; a test waits for frames and closes, never for time.
 */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { openDatabase } from '@makima/db/client';
import { limits } from '@makima/domain/limits';
import { openHouse, testEngine, testSettings, type House } from '@makima/engine/test/house';
import { createHealth } from '@makima/runtime/health';
import { createHealthServer } from '@makima/runtime/health-server';
import { createApp } from '@makima/runtime/lifecycle';
import { createMetrics, type Metrics } from '@makima/runtime/metrics';
import { testLog, type TestLog } from '@makima/runtime/test-log';
import { testDatabase, testRedis } from '@makima/stack/test-stores';
import { createAdmission } from '../admission.ts';
import { allowedHosts } from '../allowed-hosts.ts';
import { createGateway, type RunningGateway } from '../gateway.ts';
import { openDoor } from '../server.ts';
import { defaultTimings, type Timings } from '../timings.ts';
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

/** A house in this database, over a pool of its own. */
export async function testHouse(stores: Stores): Promise<House> {
  const database = openDatabase(stores.databaseUrl, { max: 4 });
  onEnd(() => database.close());
  return openHouse(testEngine(database));
}

export interface TestGateway {
  readonly url: string;
  readonly port: number;
  readonly gateway: RunningGateway;
  readonly wire: Wire;
  readonly log: TestLog;
  readonly metrics: Metrics;
  /** As SIGTERM does. */
  stop(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly timings?: Partial<Timings>;
  readonly perSecond?: number;
  readonly socketsMax?: number;
  readonly allowedHosts?: readonly string[];
}

/** Times of a test: what is a minute out there is a moment here. */
export const quick: Timings = {
  ...defaultTimings,
  helloMs: 2_000,
  pingMs: 500,
  scanMs: 200,
  patienceMs: 3_000,
  goawayMs: 100,
  drainMs: 5_000,
};

export async function startGateway(
  stores: Stores,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  const wire = openWire({
    ...stores,
    name: 'test-gateway',
    limits,
    settings: testSettings,
    log,
    metrics,
    onBroken: () => undefined,
  });
  const { engine, bus, pubsub } = wire;
  const timings = { ...quick, ...options.timings };
  const gatewayId = randomUUID();
  const gateway = createGateway({ engine, bus, pubsub, log, metrics, gatewayId, timings });
  const admission = createAdmission({
    perSecond: options.perSecond ?? 300,
    now: () => performance.now(),
    random: Math.random,
  });
  const door = {
    gateway,
    admission,
    allowsHost: allowedHosts({ allowedHosts: options.allowedHosts }),
    socketsMax: options.socketsMax ?? 1_000,
  };
  const server = createHealthServer({
    health: createHealth({ checks: wire.checks }),
    metrics,
    log,
    port: 0,
    attach: (http) => openDoor(http, door),
  });
  const app = createApp({ log, parts: [server, wire.stores, wire.relay, gateway] });
  await app.start();
  const stop = async (): Promise<void> => void (await app.stop());
  onEnd(stop);
  const { port } = server;
  return { url: `ws://127.0.0.1:${port}/daemon`, port, gateway, wire, log, metrics, stop };
}
