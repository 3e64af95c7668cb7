/**
 * The API process: reads its settings, wires the parts, listens, and stops when told to.
 *
 * Law: listens first; the owner of a first start is made beside it, and until then the process is alive and
 * not ready. Nothing else reads the environment.
 */
import { readFileSync } from 'node:fs';
import { limitsOf, settingsOf, settingTables } from '@makima/engine/settings';
import { readSettingsOrExit } from '@makima/runtime/config-file';
import { createLog } from '@makima/runtime/log';
import { createLoop } from '@makima/runtime/loop';
import { createMetrics } from '@makima/runtime/metrics';
import { runApp } from '@makima/runtime/lifecycle';
import { startTracing } from '@makima/runtime/tracing';
import { initRacepoints } from '@makima/runtime/racepoint';
import { openWire } from '@makima/wire/wire';
import { assembleApi } from './assemble.ts';
import { apiConfig } from './config.ts';
import { prepareOwner } from './owner-key.ts';
import { createTypeFiles } from './type-files.ts';

const config = readSettingsOrExit(apiConfig, process.env, settingTables);
const log = createLog({ service: 'api', level: config.LOG_LEVEL });
const metrics = createMetrics({ service: 'api' });
const racepoints = initRacepoints(config.MAKIMA_RACE, process.env.NODE_ENV);
if (racepoints.length > 0) log.warn({ racepoints }, 'racepoints are set');
const wire = openWire({
  databaseUrl: config.DATABASE_URL,
  redisUrl: config.REDIS_URL,
  name: 'makima-api',
  log,
  metrics,
  limits: limitsOf(config),
  settings: settingsOf(config),
  onBroken: (reason) => {
    log.fatal({ reason }, 'the pool is sick although Postgres answers others');
    log.flush();
    process.exit(1);
  },
});
const { engine, bus, pubsub, relay } = wire;

let ownerReady = false;
const firstStart = createLoop({
  name: 'first-start',
  intervalMs: 1_000,
  log,
  tick: async () => {
    if (ownerReady) return 3_600_000;
    const print = (text: string): void => void process.stdout.write(text);
    await prepareOwner({ engine, log, keyFile: config.MAKIMA_OWNER_KEY_FILE, print });
    ownerReady = true;
    return 3_600_000;
  },
});

const typesFolder = config.MAKIMA_TYPES_DIR;
const typeFiles = createLoop({
  name: 'type-files',
  intervalMs: 30_000,
  log,
  metrics,
  tick:
    typesFolder === undefined ? () => {} : createTypeFiles({ engine, log, folder: typesFolder }),
});

const { server, auth } = assembleApi({
  config,
  version: readVersion(),
  engine,
  bus,
  pubsub,
  log,
  metrics,
  isPrepared: () => ownerReady,
});

const tracing = await startTracing({
  service: 'api',
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
});

await runApp({
  log,
  drainMs: 25_000,
  parts: [
    tracing,
    wire.stores,
    relay,
    server,
    { name: 'revocations', start: () => auth.start(), stop: () => auth.stop() },
    { name: 'first-start', start: () => firstStart.start(), stop: () => firstStart.stop() },
    ...(typesFolder === undefined ? [] : [typeFiles]),
  ],
});

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
