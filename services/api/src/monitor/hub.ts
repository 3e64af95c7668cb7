/**
 * All monitors of this process: one feed per owner that has any, and what a reader gets from it.
 *
 * Law: a feed reads by its owner's id alone and offers to that owner's readers alone. A reader is counted
 * against its owner's limit from its first moment to its last.
 */
import type { PubSub } from '@makima/bus/pubsub';
import type { MonitorFilter } from '@makima/contracts/entity/monitor';
import type { Engine } from '@makima/engine/context';
import { readHeartbeats, readMonitor } from '@makima/engine/event/monitor';
import type { Principal, System } from '@makima/engine/principal';
import type { Log } from '@makima/runtime/log';
import type { Metrics } from '@makima/runtime/metrics';
import type { Holds } from '../wait.ts';
import { createFeed, type Feed } from './feed.ts';
import { createSubscription, type Subscription } from './subscription.ts';

export interface MonitorReader {
  readonly subscription: Subscription;
  /** Twice is fine. */
  close(): void;
}

export interface MonitorHub {
  /** Throws LIMIT_EXCEEDED when the owner has too many readers, and what a bad cursor is refused with. */
  open(caller: Principal, filter: MonitorFilter): Promise<MonitorReader>;
  readonly metrics: MonitorMetrics;
  stop(): void;
}

export interface HubOptions {
  readonly engine: Engine;
  readonly pubsub: PubSub;
  readonly holds: Holds;
  readonly log: Log;
  readonly metrics: Metrics;
}

const pageSize = 500;

export type MonitorMetrics = ReturnType<typeof monitorMetrics>;

function monitorMetrics(metrics: Metrics, size: () => number) {
  metrics.gauge({
    name: 'makima_monitor_readers',
    help: 'Open monitors of contracts: sockets and streams.',
    collect: (gauge) => gauge.set(size()),
  });
  return {
    sent: metrics.counter({
      name: 'makima_monitor_events_total',
      help: 'Events sent to monitors.',
    }),
    gathered: metrics.counter({
      name: 'makima_monitor_heartbeats_gathered_total',
      help: 'Signs of life that were told as one with a later one of the same supervisor.',
    }),
    overflows: metrics.counter({
      name: 'makima_monitor_overflows_total',
      help: 'Readers whose buffer was full: they catch up from the store.',
    }),
    closes: metrics.counter({
      name: 'makima_monitor_closes_total',
      help: 'Ended sockets of monitors by close code.',
      labels: ['code'],
    }),
  };
}

export function createMonitorHub(options: HubOptions): MonitorHub {
  const { engine, holds } = options;
  const feeds = new Map<string, Feed>();
  let size = 0;
  const metrics = monitorMetrics(options.metrics, () => size);

  const feedOf = (ownerId: string): Feed => {
    const known = feeds.get(ownerId);
    if (known !== undefined) return known;
    const caller: System = { kind: 'system', ownerId, name: 'monitor' };
    const feed = createFeed({
      ownerId,
      pubsub: options.pubsub,
      log: options.log,
      read: (after) => readMonitor(engine, caller, { after, limit: pageSize }),
      readHeartbeats: (contractIds) => readHeartbeats(engine, caller, { contractIds }),
      onGathered: () => metrics.gathered.inc(),
    });
    feeds.set(ownerId, feed);
    return feed;
  };

  return {
    metrics,
    async open(caller, filter) {
      const { ownerId } = caller;
      const release = holds.open(`streams of ${ownerId}`, engine.limits.monitorSocketsPerOwnerMax);
      const subscription = createSubscription({
        filter,
        bufferSize: engine.settings.monitorBufferSize,
        read: (after) => readMonitor(engine, caller, { after, limit: pageSize }),
        onOverflow: () => metrics.overflows.inc(),
      });
      const feed = feedOf(ownerId);
      size += 1;
      let open = true;
      const close = (): void => {
        if (!open) return;
        open = false;
        size -= 1;
        release();
        feed.leave(subscription);
        if (feed.size > 0) return;
        feed.stop();
        if (feeds.get(ownerId) === feed) feeds.delete(ownerId);
      };
      await feed.join(subscription);
      return { subscription, close };
    },
    stop() {
      for (const feed of feeds.values()) feed.stop();
      feeds.clear();
    },
  };
}
