/** The scheduler as a process: it starts before its stores, works when they are there, and drains. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTask } from '@makima/db/repo/tasks';
import { startProcess } from '@makima/runtime/test-process';
import { spareRedis } from '@makima/stack/test-stores';
import { eventually, onEnd, testHouse, testStores, type Stores } from '../test/kit.ts';

const main = join(import.meta.dirname, '..', 'main.ts');

function start(stores: Stores) {
  const child = startProcess(main, {
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
  });
  onEnd(() => child.stop());
  const get = async (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${await child.port()}${path}`);
  return { child, get };
}

describe('the scheduler’s process', () => {
  it('works, shows it, and exits 0 on SIGTERM', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    const { child, get } = start(stores);
    await child.line('started');
    await house.connect();
    const { supervisorTaskId } = await house.contract();
    const about = { ownerId: house.ownerId, id: supervisorTaskId ?? '' };
    const { sql } = house.engine.database;
    await eventually(async () => (await findTask(sql, about))?.status === 'starting');
    expect((await get('/readyz')).status).toBe(200);
    const text = await (await get('/metrics')).text();
    expect(text).toContain('makima_outbox_oldest_seconds');
    expect(text).toContain('makima_queue_jobs');
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });

  it('starts without Redis, is not ready, and goes on when it comes', async () => {
    const stores = await testStores();
    const redis = await spareRedis();
    onEnd(redis.stop);
    await redis.kill();
    const { child, get } = start({ ...stores, redisUrl: redis.url });
    await child.line('started');
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
    await redis.restart();
    await eventually(async () => (await get('/readyz')).status === 200);
  });

  it('stops within seconds although no store ever came', async () => {
    const { child } = start({
      databaseUrl: 'postgres://x:y@127.0.0.1:1/z',
      redisUrl: 'redis://127.0.0.1:1',
    });
    await child.line('started');
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });

  it('names every variable that is wrong, and exits 2', async () => {
    const child = startProcess(main, { DATABASE_URL: 'mysql://x', PORT: 'many' });
    onEnd(() => child.stop());
    await expect(child.line('started')).rejects.toThrow(/DATABASE_URL[\s\S]*REDIS_URL[\s\S]*PORT/);
    expect(await child.ended).toBe(2);
  });
});
