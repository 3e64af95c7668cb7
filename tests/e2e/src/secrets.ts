// Where a secret could have come to rest: every table, every key of Redis, every log file.
// Law: it looks at text as it lies there; what it finds is told by place, never by value.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { House } from './house.ts';

/** Keys of people, daemons and tools in full, and the tokens of runs. A key's id alone is no secret. */
export const tokenPattern =
  '(mk_(tool|daemon|user)_[0-9a-f]{32}_[0-9A-Za-z]{8,}|mkrun_[0-9A-Za-z_-]{20,})';

/** Places in which the pattern or one of the values stands. */
export async function placesOf(house: House, values: readonly string[]): Promise<string[]> {
  const pattern = [tokenPattern, ...values.map(escaped)].join('|');
  return [
    ...(await inTables(house, pattern)),
    ...(await inRedis(house, new RegExp(pattern))),
    ...inFolder(house.stack.options.home.logs, new RegExp(pattern)),
  ];
}

async function inTables({ sql }: House, pattern: string): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`;
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from ${sql.unsafe(name)} t where t::text ~ ${pattern}`;
    if ((row?.count ?? 0) > 0) found.push(`table ${name}: ${row?.count} rows`);
  }
  return found;
}

async function inRedis({ stack }: House, pattern: RegExp): Promise<string[]> {
  const redis = new Redis(stack.addresses.redisUrl);
  try {
    const found: string[] = [];
    for await (const keys of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
      for (const key of keys) {
        const text = `${key}\n${await textOf(redis, key)}`;
        if (pattern.test(text)) found.push(`redis ${key.replace(pattern, '...')}`);
      }
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

async function textOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}

function inFolder(dir: string, pattern: RegExp): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => pattern.test(readFileSync(file, 'utf8')))
    .map((file) => `file ${file.slice(dir.length + 1)}`);
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, (char) => `\\${char}`);
}
