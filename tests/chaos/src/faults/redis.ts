// What happens to Redis: emptied, restarted with and without what it had.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { House } from '../house/house.ts';
import type { Fault, Strike } from './fault.ts';

export const flush: Fault = {
  about: 'FLUSHALL',
  recovery: 'probe',
  strike: (house) =>
    withRedis(house, async (redis) => {
      const keys = await redis.dbsize();
      await redis.flushall();
      return {
        hit: `${keys} keys`,
        evidence: () => (keys > 0 ? `${keys} keys were gone` : undefined),
      };
    }),
};

export const restartRedis: Fault = {
  about: 'SIGKILL to Redis, which comes back with its append-only file',
  recovery: 'probe',
  strike: (house) => killRedis(house, () => {}),
};

export const wipeRedis: Fault = {
  about: 'SIGKILL to Redis, which comes back with nothing',
  recovery: 'probe',
  strike: (house) =>
    killRedis(house, () => {
      const { redis } = house.stack.options.home;
      rmSync(join(redis, 'appendonlydir'), { recursive: true, force: true });
    }),
};

async function killRedis(house: House, lose: () => void): Promise<Strike | null> {
  const one = house.process('redis');
  const { pid } = one;
  if (pid === null) return null;
  one.signal('SIGKILL');
  lose();
  return {
    hit: `redis (pid ${pid})`,
    evidence: () =>
      one.pid !== null && one.pid !== pid && one.isReady ? 'redis was started again' : undefined,
  };
}

/** Null when Redis is away: there is nothing to hit. */
export async function withRedis<T>(
  house: House,
  work: (redis: Redis) => Promise<T>,
): Promise<T | null> {
  const redis = new Redis(house.stack.addresses.redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await work(redis);
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}
