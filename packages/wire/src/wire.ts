/**
 * The stores of a process and the engine on top of them: what the `main.ts` of every service runs and what
 * tests open.
 *
 * Law: opens and closes, decides nothing. All services stand on one and the same.
 */
import { openDatabase, type Database } from '@makima/db/client';
import { leaderOf, type Leader } from '@makima/db/leader';
import { leasedOutbox } from '@makima/db/outbox-port';
import { answersAfresh } from '@makima/db/probe';
import { createOutboxRelay, type OutboxRelay } from '@makima/bus/outbox-relay';
import { openPubSub, type PubSub } from '@makima/bus/pubsub';
import { openBus, type Bus, type BusOptions } from '@makima/bus/queues';
import type { Engine } from '@makima/engine/context';
import type { HealthCheck } from '@makima/runtime/health';
import type { Part } from '@makima/runtime/lifecycle';
import type { Log } from '@makima/runtime/log';
import type { Metrics } from '@makima/runtime/metrics';
import { racepoint } from '@makima/runtime/racepoint';
import { traceparent } from '@makima/runtime/tracing';

export interface WireOptions extends Pick<Engine, 'limits' | 'settings'> {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The pool is sick although Postgres answers others: the process should end. */
  readonly onBroken: (reason: string) => void;
  /** Shorter times, for tests. */
  readonly timings?: BusOptions['timings'];
}

export interface Wire {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly pubsub: PubSub;
  readonly relay: OutboxRelay;
  readonly leader: Leader;
  readonly checks: readonly HealthCheck[];
  /** Closes everything; the first part of an app, so that it stops last. */
  readonly stores: Part;
}

/** Returns at once; Postgres and Redis may come later. */
export function openWire(options: WireOptions): Wire {
  const { log, metrics } = options;
  const database = openPool(options);
  const bus = openBus({
    url: options.redisUrl,
    log,
    metrics,
    ...(options.timings && { timings: options.timings }),
  });
  const pubsub = openPubSub(bus);
  const relay = createOutboxRelay({ bus, port: leasedOutbox(database) });
  const engine: Engine = {
    database,
    limits: options.limits,
    settings: options.settings,
    traceparent,
    race: racepoint,
    committed: ({ mail, hints }) => {
      void racepoint('outbox.after_commit');
      if (mail > 0) relay.poke();
      pubsub.publish(hints);
    },
  };
  return {
    engine,
    bus,
    pubsub,
    relay,
    leader: leaderOf(database),
    checks: [
      { name: 'postgres', check: () => database.ping(1_000) },
      { name: 'redis', check: () => bus.ping() },
    ],
    stores: {
      name: 'stores',
      async stop() {
        await pubsub.close();
        await bus.close();
        await database.close();
      },
    },
  };
}

/** A pool that is suspect is sick only if Postgres answers a fresh connection; else the server is away. */
function openPool(options: WireOptions): Database {
  let probing = false;
  return openDatabase(options.databaseUrl, {
    name: options.name,
    onBroken: (reason) => {
      if (probing) return;
      probing = true;
      options.log.warn({ reason }, 'the pool does not answer');
      void answersAfresh(options.databaseUrl).then((answers) => {
        probing = false;
        if (answers) options.onBroken(reason);
      });
    },
  });
}
