/**
 * Puts the API together from stores that are open: what `main.ts` runs and what tests start.
 *
 * Law: opens nothing itself but the server's port.
 */
import type { Bus } from '@makima/bus/queues';
import type { PubSub } from '@makima/bus/pubsub';
import { authenticate } from '@makima/engine/identity/authenticate';
import type { Engine } from '@makima/engine/context';
import type { Log } from '@makima/runtime/log';
import type { Metrics } from '@makima/runtime/metrics';
import { deriveSealingKey } from './seal.ts';
import { buildApp } from './app.ts';
import { createAuthenticator, type Authenticator } from './auth.ts';
import type { ApiConfig } from './config.ts';
import type { Api } from './context.ts';
import { createFailedAuth } from './failed-auth.ts';
import { createHostGuard } from './guard-host.ts';
import { createApiHealth } from './health.ts';
import { createRateLimit } from './rate-limit.ts';
import { machineHolds, type MachineHolds } from './holds/machine-holds.ts';
import { monitorDoor } from './monitor/door.ts';
import { createMonitorHub } from './monitor/hub.ts';
import { monitorTimes, type MonitorTimes } from './monitor/socket.ts';
import { createHttpServer, type HttpServer, type HttpTimes } from './server.ts';
import { createHolds } from './wait.ts';

export interface Assembly {
  readonly config: Pick<
    ApiConfig,
    'DATABASE_URL' | 'HOST' | 'PORT' | 'MAKIMA_PUBLIC_URL' | 'MAKIMA_ALLOWED_HOSTS'
  >;
  readonly version: string;
  readonly engine: Engine;
  readonly bus: Bus;
  readonly pubsub: PubSub;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether there is an owner; before, the process is not ready. */
  readonly isPrepared: () => boolean;
  readonly responses?: Api['responses'];
  readonly times?: Partial<HttpTimes>;
  readonly monitorTimes?: Partial<MonitorTimes> | undefined;
  readonly machineHolds?: Partial<MachineHolds> | undefined;
}

export interface Assembled {
  readonly api: Api;
  readonly server: HttpServer;
  readonly auth: Authenticator;
}

export function assembleApi(assembly: Assembly): Assembled {
  const { config, engine, bus, pubsub, log, metrics } = assembly;
  const publicUrl = config.MAKIMA_PUBLIC_URL;
  const failures = createFailedAuth({
    perMinuteMax: engine.limits.failedAuthPerAddressPerMinuteMax,
  });
  const auth = createAuthenticator({
    lookUp: (token) => authenticate(engine, token),
    pubsub,
    hintsArrive: () => bus.ready,
    failures,
  });
  const health = createApiHealth({
    database: engine.database,
    bus,
    isPrepared: assembly.isPrepared,
  });
  const holds = createHolds({ pubsub, metrics });
  const api: Api = {
    engine,
    bus,
    pubsub,
    holds,
    monitors: createMonitorHub({ engine, pubsub, holds, log, metrics }),
    machineHolds: { ...machineHolds, ...assembly.machineHolds },
    auth,
    failures,
    rates: createRateLimit({ perMinuteMax: engine.limits.requestsPerKeyPerMinuteMax }),
    health,
    log,
    metrics,
    hosts: createHostGuard({ publicUrl, allowedHosts: config.MAKIMA_ALLOWED_HOSTS }),
    version: assembly.version,
    scheme: publicUrl?.startsWith('https:') === true ? 'https' : 'http',
    sealingKey: deriveSealingKey(config.DATABASE_URL),
    responses: assembly.responses ?? 'trusted',
  };
  const server = createHttpServer({
    app: buildApp(api, { publicUrl }),
    holds,
    log,
    host: config.HOST,
    port: config.PORT,
    takeUpgrade: monitorDoor(api, { ...monitorTimes, ...assembly.monitorTimes }),
    onDrain: () => health.drain(),
    ...(assembly.times === undefined ? {} : { times: assembly.times }),
  });
  health.start();
  return { api, server, auth };
}
