/**
 * The gateway of one process: its connections, the look over all of them every two seconds, the pings, and
 * the way out.
 *
 * Law: hint and scan: what a wake does for one connection at once, the look does for all of them.
 */
import { channels } from '@makima/contracts/channels';
import { tendSessions } from '@makima/engine/daemon/tend';
import type { Engine } from '@makima/engine/context';
import type { Part } from '@makima/runtime/lifecycle';
import { createLoop } from '@makima/runtime/loop';
import type { Metrics } from '@makima/runtime/metrics';
import { closes } from './close.ts';
import type { Gateway } from './context.ts';
import { drain } from './drain.ts';
import { gatewayMetrics } from './gateway-metrics.ts';
import type { Held } from './held.ts';
import { latest } from './latest.ts';
import { isAway } from './patience.ts';
import { createRegistry, type Registry } from './registry.ts';

export interface RunningGateway extends Gateway, Part {
  /** No new connection is taken any more. */
  readonly draining: boolean;
  start(): void;
  stop(): Promise<void>;
  /** One look over all connections. */
  tick(): Promise<void>;
}

export interface GatewayOptions extends Pick<
  Gateway,
  'engine' | 'bus' | 'pubsub' | 'log' | 'timings' | 'gatewayId'
> {
  readonly metrics: Metrics;
}

/** Most sessions of one query. */
const lookAtOnce = 1_000;

export function createGateway(options: GatewayOptions): RunningGateway {
  const { engine, pubsub, log, timings } = options;
  const registry = createRegistry(() => performance.now());
  let woken = new Set<Held>();
  let draining = false;
  let stopping: Promise<void> | undefined;
  let leave: (() => void) | undefined;

  const lookAtWoken = latest(async () => {
    const connections = woken;
    woken = new Set();
    try {
      await tend(engine, [...connections]);
    } catch (error) {
      if (!isAway(error)) log.error({ err: error }, 'the look at woken connections failed');
    }
  });
  const scan = createLoop({
    name: 'gateway-scan',
    intervalMs: timings.scanMs,
    log,
    metrics: options.metrics,
    tick: () => scanAll(engine, registry),
  });
  const pings = createLoop({
    name: 'gateway-pings',
    intervalMs: timings.pingMs,
    log,
    tick: () => registry.all.forEach((connection) => connection.ping()),
  });
  registerGauges(options.metrics, registry);

  return {
    ...options,
    name: 'gateway',
    metrics: gatewayMetrics(options.metrics),
    registry,
    stopMs: timings.drainMs,
    get draining() {
      return draining;
    },
    look(connection) {
      woken.add(connection);
      lookAtWoken.push(undefined);
    },
    start() {
      if (draining) return;
      scan.start();
      pings.start();
      // The revoked key's connections are found by the scan; the hint only makes it soon.
      void pubsub
        .subscribe(channels.keyRevoked(), () => scan.poke())
        .then((off) => (draining ? off() : (leave = off)));
    },
    stop() {
      draining = true;
      stopping ??= (async () => {
        leave?.();
        await Promise.all([scan.stop(), pings.stop()]);
        await drain(registry, timings);
      })();
      return stopping;
    },
    tick: () => scan.tick(),
  };
}

/** A store that is away is no news for the scan. */
async function scanAll(engine: Engine, registry: Registry): Promise<void> {
  const now = performance.now();
  const all = [...registry.all];
  for (const connection of all) connection.talk?.tick(now);
  try {
    for (let at = 0; at < all.length; at += lookAtOnce) {
      await tend(engine, all.slice(at, at + lookAtOnce));
    }
  } catch (error) {
    if (!isAway(error)) throw error;
  }
}

async function tend(engine: Engine, connections: readonly Held[]): Promise<void> {
  const welcomed = connections.filter((connection) => connection.talk !== undefined);
  if (welcomed.length === 0) return;
  const found = await tendSessions(
    engine,
    welcomed.map(({ daemon, talk }) => ({
      daemonId: daemon.daemonId,
      keyId: daemon.keyId,
      sessionEpoch: talk?.sessionEpoch ?? 0,
      afterSeq: talk?.sentSeq ?? 0,
    })),
  );
  for (const row of found) {
    for (const connection of welcomed) {
      if (connection.daemon.daemonId !== row.daemonId) continue;
      if (row.revoked) connection.end(closes.revoked);
      else if (row.replaced) connection.end(closes.replaced);
      else if (row.dropped) connection.end(closes.dropped);
      else connection.talk?.poke();
    }
  }
}

function registerGauges(metrics: Metrics, registry: Registry): void {
  metrics.gauge({
    name: 'makima_gateway_sockets',
    help: 'Open connections.',
    collect: (gauge) => gauge.set(registry.all.size),
  });
  metrics.gauge({
    name: 'makima_gateway_buffered_bytes',
    help: 'Bytes that wait for daemons to read them.',
    collect: (gauge) => {
      let bytes = 0;
      for (const connection of registry.all) bytes += connection.bufferedBytes;
      gauge.set(bytes);
    },
  });
}
