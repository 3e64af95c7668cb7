/**
 * The gateway's process: holds the sockets of daemons, brings them their commands and takes their reports.
 *
 * Law: listens first, recovers second: it starts without Postgres and without Redis, is not ready then, and
 * goes on when they come. Any number of copies may run. Nothing else reads the environment.
 */
import { randomUUID } from 'node:crypto';
import { limitsOf, settingsOf, settingTables } from '@makima/engine/settings';
import { readSettingsOrExit } from '@makima/runtime/config-file';
import { createHealth } from '@makima/runtime/health';
import { createHealthServer } from '@makima/runtime/health-server';
import { runApp } from '@makima/runtime/lifecycle';
import { startTracing } from '@makima/runtime/tracing';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { initRacepoints } from '@makima/runtime/racepoint';
import { createAdmission } from './admission.ts';
import { allowedHosts } from './allowed-hosts.ts';
import { gatewayConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { openDoor } from './server.ts';
import { defaultTimings } from './timings.ts';
import { openWire } from '@makima/wire/wire';

const config = readSettingsOrExit(gatewayConfig, process.env, settingTables);
const log = createLog({ service: 'daemon-gateway', level: config.LOG_LEVEL });
const metrics = createMetrics({ service: 'daemon-gateway' });
const racepoints = initRacepoints(config.MAKIMA_RACE, process.env.NODE_ENV);
if (racepoints.length > 0) log.warn({ racepoints }, 'racepoints are set');

const wire = openWire({
  databaseUrl: config.DATABASE_URL,
  redisUrl: config.REDIS_URL,
  name: 'makima-daemon-gateway',
  limits: limitsOf(config),
  settings: settingsOf(config),
  log,
  metrics,
  onBroken: (reason) => die('the pool to the store is broken', { reason }),
});
const { engine, bus, pubsub } = wire;
const gatewayId = randomUUID();
const gateway = createGateway({
  engine,
  bus,
  pubsub,
  log,
  metrics,
  gatewayId,
  timings: defaultTimings,
});
const admission = createAdmission({
  perSecond: config.MAKIMA_GATEWAY_UPGRADES_PER_SECOND,
  now: () => performance.now(),
  random: Math.random,
});
const allowsHost = allowedHosts({
  publicUrl: config.MAKIMA_PUBLIC_URL,
  allowedHosts: config.MAKIMA_ALLOWED_HOSTS,
});
const socketsMax = config.MAKIMA_GATEWAY_SOCKETS_MAX;
const health = createHealth({ checks: [...wire.checks] });
const { HOST: host, PORT: port } = config;

const tracing = await startTracing({
  service: 'gateway',
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
});

await runApp({
  log,
  onDrain: () => health.drain(),
  parts: [
    createHealthServer({
      health,
      metrics,
      log,
      host,
      port,
      attach: (server) => openDoor(server, { gateway, admission, allowsHost, socketsMax }),
    }),
    tracing,
    wire.stores,
    wire.relay,
    gateway,
  ],
});

/** The keeper of processes starts it afresh. */
function die(message: string, fields: object): void {
  log.fatal(fields, message);
  log.flush();
  process.exit(1);
}
