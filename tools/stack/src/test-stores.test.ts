// Proves the stores that every other test stands on.
import { Redis } from 'ioredis';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { scratchFolder } from './scratch-folder.ts';
import { plantCluster } from './test-cluster.ts';
import { emptyDatabase, spareRedis, testRedis } from './test-stores.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const client = (url: string): Redis => {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => 20 });
  redis.on('error', () => {});
  cleanups.push(async () => redis.disconnect());
  return redis;
};

describe('emptyDatabase', () => {
  it('is Postgres 18, private, and gone after drop', async () => {
    const [one, two] = [await emptyDatabase(), await emptyDatabase()];
    cleanups.push(two.drop);
    const sql = postgres(one.url, { max: 1 });
    await sql`create table only_here (id uuid default uuidv7())`;
    await sql.end();
    await one.drop();
    const other = postgres(two.url, { max: 1 });
    cleanups.push(() => other.end());
    const [row] = await other`
      select to_regclass('only_here') as found,
             (select count(*)::int from pg_database where datname = ${new URL(one.url).pathname.slice(1)}) as left`;
    expect(row).toEqual({ found: null, left: 0 });
  });
});

describe('plantCluster', () => {
  const folder = (): string => {
    const dir = mkdtempSync(join(tmpdir(), 'makima-clusters-'));
    cleanups.push(async () => rmSync(dir, { recursive: true, force: true }));
    return dir;
  };

  it('copies one that is made once, and keeps none that was made in another way', async () => {
    const dir = folder();
    const cache = join(dir, 'cache');
    mkdirSync(join(cache, '0123456789ab'), { recursive: true });
    const places = [join(dir, 'one'), join(dir, 'two')];
    const passwords = await Promise.all(places.map((place) => plantCluster(place, cache)));
    expect(passwords[0]).toMatch(/^[0-9a-f]{48}$/);
    expect(passwords[1]).toBe(passwords[0]);
    for (const place of places) {
      expect(readdirSync(place)).toEqual(['data']);
      expect(readFileSync(join(place, 'data', 'PG_VERSION'), 'utf8')).toBe('18\n');
    }
    expect(readdirSync(cache)).toEqual([expect.not.stringMatching(/^(?:0123456789ab$|draft-)/)]);
  });

  it('leaves it to its user to make one where there is no cache', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'file'), '');
    expect(await plantCluster(join(dir, 'place'), join(dir, 'file', 'cache'))).toBeNull();
    expect(readdirSync(dir)).toEqual(['file']);
  });
});

describe('scratchFolder', () => {
  it('removes what a dead run left, and nothing of a run in another pid namespace', () => {
    const own = scratchFolder();
    const root = dirname(own);
    const [, namespace = ''] = /makima-stores-(\d+)-/.exec(own) ?? [];
    const [dead, elsewhere] = [namespace, '1'].map((where) =>
      // No process has this number: the kernel's highest is 4 194 304.
      mkdtempSync(join(root, `makima-stores-${where}-4194305-`)),
    );
    const later = scratchFolder();
    cleanups.push(async () => {
      for (const dir of [own, elsewhere!, later]) rmSync(dir, { recursive: true, force: true });
    });
    expect([own, dead, elsewhere].map((dir) => existsSync(dir!))).toEqual([true, false, true]);
  });
});

describe('testRedis', () => {
  it('gives every caller a server of its own', async () => {
    const [one, two] = await Promise.all([testRedis(), testRedis()]);
    cleanups.push(one.stop, two.stop);
    await client(one.url).set('key', 'one');
    expect(await client(two.url).get('key')).toBeNull();
  });
});

describe('spareRedis', () => {
  it('keeps durable data through kill and restart under the same URL', async () => {
    const spare = await spareRedis({ durability: 'durable' });
    cleanups.push(spare.stop);
    const before = spare.pid();
    await client(spare.url).set('key', 'kept');
    await spare.kill();
    await spare.restart();
    expect(spare.pid()).not.toBe(before);
    expect(await client(spare.url).get('key')).toBe('kept');
  });

  it('stands still while it is paused', async () => {
    const spare = await spareRedis();
    cleanups.push(spare.stop);
    const redis = client(spare.url);
    await redis.ping();
    spare.pause();
    const answer = redis.ping();
    const early = await Promise.race([answer, new Promise((done) => setTimeout(done, 50, 'none'))]);
    spare.resume();
    expect([early, await answer]).toEqual(['none', 'PONG']);
  });
});
