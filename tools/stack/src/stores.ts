// The two stores of a stack: the ones named by DATABASE_URL and REDIS_URL, else embedded ones.
// Why: a machine with nothing on it gets both, and who runs his own is never given another.
// Law: Redis is always there; Postgres is always version 18 or newer.
import { preparePostgres } from '@makima/postgres/launch';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { redisCacheDir } from './checkout.ts';
import { secret, type Home } from './home.ts';
import type { PortPlan, ProcessSpec } from './specs.ts';
import { ensureRedisBinary } from './redis/binary.ts';
import { prepareRedis } from './redis/launch.ts';
import { postgresReady, redisReady } from './store-ready.ts';

export interface Store {
  url: string;
  /** Absent for a store that runs elsewhere. */
  spec?: ProcessSpec;
}

export interface StoreOptions {
  home: Home;
  env: NodeJS.ProcessEnv;
  ports: PortPlan;
  onProgress: (line: string) => void;
}

/** Both stores, found or prepared beside each other. */
export const chooseStores = async (
  options: StoreOptions,
): Promise<{ database: Store; redis: Store }> => {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = options.env;
  const [database, redis] = await Promise.all([
    databaseUrl ? externalPostgres(databaseUrl) : embeddedPostgres(options),
    redisUrl ? externalRedis(redisUrl) : embeddedRedis(options),
  ]);
  return { database, redis };
};

const databaseName = 'makima';
const minServerVersion = 180_000;

const embeddedPostgres = async ({ home, ports }: StoreOptions): Promise<Store> => {
  const port = ports.get('postgres')!;
  const secretFile = join(home.secrets, 'postgres.password');
  if (!existsSync(secretFile) && existsSync(join(home.postgres, 'data'))) {
    throw new Error(
      `${secretFile} is gone, and the data in ${home.postgres} needs it: bring it back, or start anew with ./makima down --purge`,
    );
  }
  const password = secret(home, 'postgres.password');
  const { program, url } = await preparePostgres({
    dir: home.postgres,
    port,
    password,
    durability: 'durable',
  });
  const own = new URL(url);
  own.pathname = `/${databaseName}`;
  return {
    url: own.href,
    spec: {
      name: 'postgres',
      kind: 'postgres',
      program,
      port,
      ready: async (options) => {
        await postgresReady(url, options);
        await ensureDatabase(url);
      },
      stopTimeoutMs: 15_000,
    },
  };
};

const embeddedRedis = async ({ home, env, ports, onProgress }: StoreOptions): Promise<Store> => {
  const port = ports.get('redis')!;
  const lookup = { cacheDir: redisCacheDir, path: env.PATH, onProgress };
  const binary = await ensureRedisBinary(lookup);
  const password = secret(home, 'redis.password');
  const { program, url } = prepareRedis({
    binary,
    dir: home.redis,
    port,
    password,
    durability: 'durable',
  });
  return {
    url,
    spec: {
      name: 'redis',
      kind: 'redis',
      program,
      port,
      ready: (options) => redisReady(url, options),
      stopTimeoutMs: 10_000,
    },
  };
};

const ensureDatabase = async (maintenanceUrl: string): Promise<void> => {
  const sql = postgres(maintenanceUrl, { max: 1, onnotice: () => {} });
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${databaseName}`;
    if (!found) await sql`create database ${sql(databaseName)}`;
  } finally {
    await sql.end();
  }
};

/** A Postgres of somebody else's; throws one line when it cannot be used. */
export const externalPostgres = async (url: string): Promise<Store> => {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [row] = await sql<{ version: number }[]>`
      select current_setting('server_version_num')::int as version`;
    if ((row?.version ?? 0) < minServerVersion) {
      throw new Error(`it is version ${row?.version}, and 18 or newer is needed`);
    }
    return { url };
  } catch (error) {
    throw new Error(`DATABASE_URL cannot be used: ${(error as Error).message}`, { cause: error });
  } finally {
    await sql.end({ timeout: 0 });
  }
};

/** A Redis of somebody else's; throws one line when it does not answer. */
export const externalRedis = async (url: string): Promise<Store> => {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
    return { url };
  } catch (error) {
    throw new Error(`REDIS_URL cannot be used: ${(error as Error).message}`, { cause: error });
  } finally {
    redis.disconnect();
  }
};
