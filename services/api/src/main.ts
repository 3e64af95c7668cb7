/**
 * The API process: reads its settings, wires the parts, listens, and stops when told to.
 *
 * Law: listens first; the owner of a first start is made beside it, and until then the process is alive and
 * not ready. Nothing else reads the environment.
 */
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { openDatabase, type Database } from '@makima/db/client';
import { claimOutbox, markFailed, markPublished } from '@makima/db/repo/outbox';
import { createOutboxRelay, type OutboxPort } from '@makima/bus/outbox-relay';
import { openPubSub } from '@makima/bus/pubsub';
import { openBus } from '@makima/bus/queues';
import type { Engine } from '@makima/engine/context';
import { limitsOf, settingsOf } from '@makima/engine/settings';
import { readConfig } from '@makima/runtime/config';
import { createLog } from '@makima/runtime/log';
import { createLoop } from '@makima/runtime/loop';
import { createMetrics } from '@makima/runtime/metrics';
import { runApp } from '@makima/runtime/lifecycle';
import { assembleApi } from './assemble.ts';
import { apiConfig, type ApiConfig } from './config.ts';
import { prepareOwner } from './owner-key.ts';

const config = readConfigOrExit();
const log = createLog({ service: 'api', level: config.LOG_LEVEL });
const metrics = createMetrics({ service: 'api' });
const database = openDatabase(config.DATABASE_URL, {
  name: 'makima-api',
  onBroken: (reason) => {
    log.fatal({ reason }, 'the store does not answer');
    log.flush();
    process.exit(1);
  },
});
const bus = openBus({ url: config.REDIS_URL, log, metrics });
const pubsub = openPubSub(bus);
const relay = createOutboxRelay({ bus, port: outboxPort(database) });
const engine: Engine = {
  database,
  limits: limitsOf(config),
  settings: settingsOf(config),
  committed: ({ mail, hints }) => {
    if (mail > 0) relay.poke();
    pubsub.publish(hints);
  },
};

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

await runApp({
  log,
  drainMs: 25_000,
  parts: [
    { name: 'stores', stop: () => closeAll() },
    relay,
    server,
    { name: 'revocations', start: () => auth.start(), stop: () => auth.stop() },
    { name: 'first-start', start: () => firstStart.start(), stop: () => firstStart.stop() },
  ],
});

async function closeAll(): Promise<void> {
  await pubsub.close();
  await bus.close();
  await database.close();
}

function outboxPort(db: Database): OutboxPort {
  const leaseOwner = randomUUID();
  const numbers = (ids: readonly string[]): number[] => ids.map(Number);
  return {
    claim: async (limit) =>
      (await claimOutbox(db.sql, { leaseOwner, limit })).map((row) => ({
        ...row,
        id: String(row.id),
      })),
    published: (ids) => markPublished(db.sql, { leaseOwner, ids: numbers(ids) }),
    failed: (ids, error) => markFailed(db.sql, { leaseOwner, ids: numbers(ids), error }),
  };
}

function readConfigOrExit(): ApiConfig {
  try {
    return readConfig(apiConfig, process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
