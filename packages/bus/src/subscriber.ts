/**
 * The listening half of the hints: one connection in subscriber mode for the whole process.
 *
 * Law: after every reconnect it subscribes to everything that is wanted then, and only when Redis confirmed
 * tells every channel that something may have been missed. A beat notices a socket that went silent.
 */
import { withDeadline } from '@makima/runtime/deadline';
import type { Log } from '@makima/runtime/log';
import { createLoop, type Loop } from '@makima/runtime/loop';
import type { Heard } from './heard.ts';
import type { Bus } from './queues.ts';
import { openRedis, type Redis } from './redis.ts';

export interface Subscriber {
  /** Join a channel; resolves when confirmed or after a second without Redis. Never rejects. */
  confirmed(channel: string): Promise<void>;
  leave(channel: string): void;
  close(): Promise<void>;
}

export interface SubscriberOptions {
  readonly bus: Bus;
  /** The channels that somebody listens to now. */
  readonly wanted: () => readonly string[];
  readonly tell: (heard: Heard) => void;
}

const confirmMs = 1_000;
const beatMs = 2_000;

export function openSubscriber(options: SubscriberOptions): Subscriber {
  const { bus, tell } = options;
  const redis = openRedis(bus.inner, 'pubsub');
  /** Channels asked for on the present connection. */
  let joined = new Map<string, Promise<unknown>>();
  let connected = Promise.withResolvers<void>();
  /** Whether a listener was let go on without a confirmed subscription, or the connection was there before. */
  let mayHaveMissed = false;

  const join = (channel: string): Promise<unknown> => {
    const asked = joined.get(channel) ?? redis.subscribe(channel);
    joined.set(channel, asked);
    return asked;
  };
  const rejoin = async (): Promise<void> => {
    const channels = options.wanted();
    const all = channels.length > 0 ? redis.subscribe(...channels) : Promise.resolve();
    joined = new Map(channels.map((channel) => [channel, all]));
    try {
      await all;
    } catch {
      return redis.disconnect(true); // and subscribe afresh on a fresh connection
    }
    connected.resolve();
    if (mayHaveMissed) for (const channel of channels) tell({ kind: 'missed', channel });
    mayHaveMissed = true;
  };

  redis.on('ready', () => void rejoin());
  redis.on('close', () => {
    joined = new Map();
    connected.resolve();
    connected = Promise.withResolvers();
  });
  redis.on('message', (channel: string, body: string) => tell({ kind: 'hint', channel, body }));

  const beat = beatOf(redis, bus.inner.log);
  beat.start();

  return {
    async confirmed(channel) {
      try {
        await withDeadline(confirmMs, async () => {
          if (redis.status !== 'ready') await connected.promise;
          await join(channel);
        });
      } catch {
        mayHaveMissed = true;
      }
    },
    leave(channel) {
      joined.delete(channel);
      if (redis.status === 'ready') redis.unsubscribe(channel).catch(() => undefined);
    },
    close() {
      redis.disconnect();
      return beat.stop();
    },
  };
}

/** Something must be in flight for the timer of the socket to notice that nothing comes back. */
function beatOf(redis: Redis, log: Log): Loop {
  return createLoop({
    name: 'subscriber-beat',
    intervalMs: beatMs,
    log,
    tick: async () => {
      if (redis.status === 'ready') await redis.ping().catch(() => undefined);
    },
  });
}
