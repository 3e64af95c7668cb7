/**
 * The restorer's process: brings supervisors back, wakes parked ones and builds their snapshots.
 *
 * Law: listens first, recovers second: it starts without Postgres and without Redis, is not ready then, and
 * goes on when they come. Any number of copies may run. Nothing else reads the environment.
 */
import { limitsOf, settingsOf, settingTables } from '@makima/engine/settings';
import { readSettingsOrExit } from '@makima/runtime/config-file';
import { createHealth } from '@makima/runtime/health';
import { createHealthServer } from '@makima/runtime/health-server';
import { runApp } from '@makima/runtime/lifecycle';
import { startTracing } from '@makima/runtime/tracing';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { initRacepoints } from '@makima/runtime/racepoint';
import { restorerConfig } from './config.ts';
import { restorerConsumers, restorerHandlers } from './consumers.ts';
import { restoreOne } from './jobs/restore-supervisor.ts';
import { restorerMetrics } from './restorer-metrics.ts';
import { orphanedSupervisors } from './sweeps/orphaned-supervisors.ts';
import { openWire } from '@makima/wire/wire';

const config = readSettingsOrExit(restorerConfig, process.env, settingTables);
const log = createLog({ service: 'restorer', level: config.LOG_LEVEL });
const metrics = createMetrics({ service: 'restorer' });
const racepoints = initRacepoints(config.MAKIMA_RACE, process.env.NODE_ENV);
if (racepoints.length > 0) log.warn({ racepoints }, 'racepoints are set');

const wire = openWire({
  databaseUrl: config.DATABASE_URL,
  redisUrl: config.REDIS_URL,
  name: 'makima-restorer',
  limits: limitsOf(config),
  settings: settingsOf(config),
  log,
  metrics,
  onBroken: (reason) => die('the pool to the store is broken', { reason }),
});
const { engine, bus, relay, leader } = wire;
const counts = restorerMetrics(metrics);
const restore = restoreOne(engine, counts);
const consumers = restorerConsumers(bus, restorerHandlers(engine, restore), {
  onDeaf: (queue) => die('a worker takes no jobs', { queue }),
  timings: { drainMs: 8_000 },
});
const orphans = orphanedSupervisors({ engine, leader, log, metrics, counts, restore });
const health = createHealth({ checks: [...wire.checks, ...consumers.checks] });

const tracing = await startTracing({
  service: 'restorer',
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
});

await runApp({
  log,
  onDrain: () => health.drain(),
  parts: [
    createHealthServer({ health, metrics, log, host: config.HOST, port: config.PORT }),
    tracing,
    wire.stores,
    relay,
    orphans,
    consumers,
  ],
});

/** The keeper of processes starts it afresh. */
function die(message: string, fields: object): void {
  log.fatal(fields, message);
  log.flush();
  process.exit(1);
}
