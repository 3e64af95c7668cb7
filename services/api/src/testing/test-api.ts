/**
 * What the tests of the API stand on: the assembled API on a real port, over a database and a Redis of its
 * own, with an owner, and a plain HTTP client that sends exactly what a test says.
 *
 * Law: real stores, real verbs, real sockets; answers are checked against their descriptions.
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { openDatabase } from '@makima/db/client';
import { openBus } from '@makima/bus/queues';
import { openPubSub, type PubSub } from '@makima/bus/pubsub';
import { limits, type Limits } from '@makima/domain/limits';
import type { Engine, Settings } from '@makima/engine/context';
import { defaultSettings } from '@makima/engine/settings';
import { ensureOwner } from '@makima/engine/identity/ensure-owner';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog, type TestLog } from '@makima/runtime/test-log';
import { testDatabase, testRedis } from '@makima/stack/test-stores';
import { assembleApi, type Assembled } from '../assemble.ts';
import type { MachineHolds } from '../holds/machine-holds.ts';
import type { MonitorTimes } from '../monitor/socket.ts';
import type { HttpTimes } from '../server.ts';

export interface TestApi extends Assembled {
  readonly engine: Engine;
  readonly log: TestLog;
  readonly url: string;
  readonly port: number;
  readonly ownerId: string;
  readonly ownerKey: string;
  readonly send: Send;
  /** Hints as another process would send them. */
  readonly pubsubOfAnother: PubSub;
  readonly stop: () => Promise<void>;
}

export interface SendOptions {
  readonly key?: string | undefined;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: any;
}

export type Send = (method: string, path: string, options?: SendOptions) => Promise<Received>;

export interface TestApiOptions {
  readonly limits?: Partial<Limits>;
  readonly times?: Partial<HttpTimes>;
  readonly publicUrl?: string;
  readonly machineHolds?: Partial<MachineHolds>;
  readonly monitorTimes?: Partial<MonitorTimes>;
  readonly settings?: Partial<Settings>;
}

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const [store, redis] = await Promise.all([testDatabase(), testRedis()]);
  const log = testLog();
  const metrics = createMetrics({ service: 'api' });
  const database = openDatabase(store.url, { max: 8 });
  const bus = openBus({ url: redis.url, log, metrics });
  const pubsub = openPubSub(bus);
  const pubsubOfAnother = openPubSub(bus);
  const engine: Engine = {
    database,
    // No test is about the number of requests unless it says so.
    limits: {
      ...limits,
      requestsPerKeyPerMinuteMax: 1_000_000,
      spawnsPerContractPerMinuteMax: 10_000,
      ...options.limits,
    },
    settings: {
      ...defaultSettings,
      completionGraceMs: 0,
      inputTimeoutMs: 86_400_000,
      archiveAfterMs: 2_592_000_000,
      archiveRetentionMs: 2_592_000_000,
      leaseMs: 60_000,
      maxRetries: 3,
      autoAdvancePhases: true,
      staleThresholdMs: 1_800_000,
      heartbeatIntervalMs: 30_000,
      heartbeatTimeoutMs: 120_000,
      parkAfterMs: 120_000,
      webhookAllowedHosts: [],
      prices: new Map(),
      ...options.settings,
    },
    committed: ({ hints }) => pubsub.publish(hints),
  };
  const { ownerId, ownerKey } = await ensureOwner(engine);
  const assembled = assembleApi({
    config: {
      DATABASE_URL: store.url,
      HOST: '127.0.0.1',
      PORT: 0,
      MAKIMA_PUBLIC_URL: options.publicUrl,
      MAKIMA_ALLOWED_HOSTS: [],
    },
    version: '0.0.0-test',
    engine,
    bus,
    pubsub,
    log,
    metrics,
    isPrepared: () => true,
    responses: 'checked',
    machineHolds: options.machineHolds,
    monitorTimes: options.monitorTimes,
    ...(options.times === undefined ? {} : { times: options.times }),
  });
  await assembled.server.start?.();
  await assembled.auth.start();
  const { port } = assembled.server;
  return {
    ...assembled,
    engine,
    log,
    port,
    url: `http://127.0.0.1:${port}`,
    ownerId,
    ownerKey: ownerKey ?? '',
    send: sender(port),
    pubsubOfAnother,
    async stop() {
      await assembled.server.stop?.();
      assembled.auth.stop();
      await Promise.all([pubsub.close(), pubsubOfAnother.close()]);
      await bus.close(200);
      await database.close();
      await Promise.all([store.drop(), redis.stop()]);
    },
  };
}

/** Sends what it is told, by Node's own client: fetch would mend paths and refuse headers. */
export function sender(port: number): Send {
  return async (method, path, options = {}) => {
    const incoming = await open(port, method, path, options);
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    return {
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      text,
      json: parsed(text),
    };
  };
}

/** The answer as soon as it begins. */
export function open(
  port: number,
  method: string,
  path: string,
  options: SendOptions = {},
): Promise<IncomingMessage> {
  const { key, body, signal } = options;
  const raw = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers: Record<string, string | string[]> = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(raw === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(raw)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    request.on('response', resolve);
    // A server that refuses a body early may answer and close before all of it was taken.
    let answered = false;
    request.on('response', () => (answered = true));
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    request.end(raw);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
