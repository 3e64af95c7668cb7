/**
 * Connections to Redis, in the three kinds that behave differently when Redis does.
 *
 * Law: no connection waits for ever. A socket that stops answering is destroyed by its own timer (TCP would
 * take a quarter of an hour), reconnects are capped at about 2 s, and every connection has an error listener.
 */
import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '@makima/runtime/log';
import { quietly } from './quiet.ts';

export type { Redis } from 'ioredis';

/**
 * `producer`: fails fast, never queues, at most 3 s per command. `worker`: its commands wait until Redis is
 * back. `blocking`: the same, and blocks in BZPOPMIN. `pubsub`: subscribed; after a reconnect our own code
 * subscribes again.
 */
export type RedisKind = 'producer' | 'worker' | 'blocking' | 'pubsub';

export interface RedisTimings {
  /** Silence of a socket with a command in flight before it is destroyed. */
  readonly socketMs: number;
  /** The same for a socket that blocks; above the longest block (10 s) and its answer. */
  readonly blockingSocketMs: number;
  /** Longest wait of a producer for one command. */
  readonly commandMs: number;
  readonly connectMs: number;
  /** Longest pause between two attempts to connect, without jitter. */
  readonly retryMaxMs: number;
}

export const redisTimings: RedisTimings = {
  socketMs: 5_000,
  blockingSocketMs: 15_000,
  commandMs: 3_000,
  connectMs: 5_000,
  retryMaxMs: 2_000,
};

export interface RedisTarget {
  readonly url: string;
  readonly log: Log;
  readonly timings: RedisTimings;
}

/** Open a connection; it connects in the background and goes on trying until `disconnect()`. */
export function openRedis(target: RedisTarget, kind: RedisKind): Redis {
  const redis = new Redis(target.url, optionsOf(kind, target.timings));
  listenForErrors(redis, kind, target.log);
  return redis;
}

/** The two connections of one worker: it runs its scripts on the first and blocks on the second. */
export interface WorkerSockets {
  /** To hand to BullMQ, which asks this one for a duplicate to block on. */
  readonly main: Redis;
  /** Cut both. */
  disconnect(): void;
}

/** Open them so that both stay ours: BullMQ forgets to cut what never became ready. */
export function openWorkerSockets(target: RedisTarget): WorkerSockets {
  const main = openRedis(target, 'worker');
  const duplicates: Redis[] = [];
  main.duplicate = () => {
    const blocking = openRedis(target, 'blocking');
    duplicates.push(blocking);
    return blocking;
  };
  return {
    main,
    disconnect() {
      for (const redis of [main, ...duplicates]) redis.disconnect();
    },
  };
}

function optionsOf(kind: RedisKind, timings: RedisTimings): RedisOptions {
  const common: RedisOptions = {
    connectionName: `makima-${kind}`,
    connectTimeout: timings.connectMs,
    keepAlive: 10_000,
    retryStrategy: (times) =>
      Math.min(100 * 2 ** Math.min(times, 10), timings.retryMaxMs) + Math.random() * 200,
  };
  switch (kind) {
    case 'producer':
      return {
        ...common,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 1,
        commandTimeout: timings.commandMs,
        socketTimeout: timings.socketMs,
      };
    case 'worker':
      return { ...common, maxRetriesPerRequest: null, socketTimeout: timings.socketMs };
    case 'blocking':
      return { ...common, maxRetriesPerRequest: null, socketTimeout: timings.blockingSocketMs };
    case 'pubsub':
      return {
        ...common,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 1,
        autoResubscribe: false,
        commandTimeout: timings.commandMs,
        socketTimeout: timings.socketMs,
      };
  }
}

/** A Redis that is away fails every attempt to connect: one line in ten seconds tells it. */
function listenForErrors(redis: Redis, kind: RedisKind, log: Log): void {
  const quiet = quietly();
  redis.on('error', (error: Error) => {
    quiet(() => log.warn({ err: error, connection: kind }, 'redis connection error'));
  });
  redis.on('ready', () => {
    quiet.again();
    log.debug({ connection: kind }, 'redis connection ready');
  });
}
