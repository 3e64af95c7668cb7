/**
 * The scheduler's process: consumes its queues, sweeps, relays the outbox and refills Redis.
 *
 * Law: listens first, recovers second: it starts without Postgres and without Redis, is not ready then, and
 * goes on when they come. Any number of copies may run. Nothing else reads the environment.
 */
import { storeMoment } from '@makima/db/probe';
import { readFigures } from '@makima/db/repo/figures';
import { pruneOutbox } from '@makima/db/repo/outbox';
import { pruneRequeues } from '@makima/db/repo/requeue';
import { foldTallies } from '@makima/db/repo/tallies';
import { registerQueueMetrics } from '@makima/bus/queue-health';
import { staleKind } from '@makima/engine/contract/stale';
import { limitsOf, settingsOf, settingTables } from '@makima/engine/settings';
import { readSettingsOrExit } from '@makima/runtime/config-file';
import { createHealth } from '@makima/runtime/health';
import { createHealthServer } from '@makima/runtime/health-server';
import { runApp } from '@makima/runtime/lifecycle';
import { startTracing } from '@makima/runtime/tracing';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { initRacepoints } from '@makima/runtime/racepoint';
import { schedulerConfig } from './config.ts';
import { schedulerConsumers, schedulerHandlers } from './consumers.ts';
import { placeOwner } from './jobs/spawn-task.ts';
import { schedulerReconciler } from './reconcile.ts';
import { schedulerSweeps } from './sweeps.ts';
import { registerStoreMetrics } from './store-metrics.ts';
import { settling } from './sweeps/settled.ts';
import { openWire } from '@makima/wire/wire';

const config = readSettingsOrExit(schedulerConfig, process.env, settingTables);
const log = createLog({ service: 'scheduler', level: config.LOG_LEVEL });
const metrics = createMetrics({ service: 'scheduler' });
const racepoints = initRacepoints(config.MAKIMA_RACE, process.env.NODE_ENV);
if (racepoints.length > 0) log.warn({ racepoints }, 'racepoints are set');

const wire = openWire({
  databaseUrl: config.DATABASE_URL,
  redisUrl: config.REDIS_URL,
  name: 'makima-scheduler',
  limits: limitsOf(config),
  settings: settingsOf(config),
  log,
  metrics,
  onBroken: (reason) => die('the pool to the store is broken', { reason }),
});
registerQueueMetrics(wire.bus);
const { engine, bus, relay, leader } = wire;
const place = placeOwner(engine);
const consumers = schedulerConsumers(bus, schedulerHandlers(engine, place), {
  onDeaf: (queue) => die('a worker takes no jobs', { queue }),
  timings: { drainMs: 8_000 },
});
const { sql } = engine.database;
const prune = async (): Promise<number> => {
  const rows = await pruneOutbox(sql, { olderThanHours: 24 });
  return rows + (await pruneRequeues(sql, { olderThanDays: 7 }));
};
const fold = (limit: number): Promise<number> => foldTallies(sql, { limit });
registerStoreMetrics(metrics, () => readFigures(sql, { staleKind }));
const settled = settling({
  look: () => storeMoment(engine.database),
  now: () => performance.now(),
  graceMs: 15_000,
});
const auditMs = config.MAKIMA_AUDIT_INTERVAL_SECONDS * 1_000;
const sweeps = schedulerSweeps({
  engine,
  leader,
  log,
  metrics,
  place,
  prune,
  fold,
  settled,
  auditMs,
});
const reconciler = schedulerReconciler(wire);
const health = createHealth({
  checks: [...wire.checks, ...consumers.checks],
});

const tracing = await startTracing({
  service: 'scheduler',
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
    sweeps,
    reconciler,
    consumers,
  ],
});

/** The keeper of processes starts it afresh. */
function die(message: string, fields: object): void {
  log.fatal(fields, message);
  log.flush();
  process.exit(1);
}
