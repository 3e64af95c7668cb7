/** The restorer through real queues and as a process: killed at every step, it restores once. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTask } from '@makima/db/repo/tasks';
import type { House } from '@makima/engine/test/house';
import { startProcess } from '@makima/runtime/test-process';
import {
  crash,
  eventually,
  ledContract,
  onEnd,
  startRestorer,
  testHouse,
  testStores,
  type Stores,
} from './test/kit.ts';

const main = join(import.meta.dirname, 'main.ts');

function start(stores: Stores, race?: string) {
  const child = startProcess(main, {
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    ...(race === undefined ? {} : { MAKIMA_RACE: race }),
  });
  onEnd(() => child.stop());
  return child;
}

const isPending = (house: House, id: string) => async (): Promise<boolean> =>
  (await findTask(house.engine.database.sql, { ownerId: house.ownerId, id }))?.status === 'pending';

async function notices(house: House): Promise<number> {
  const rows = await house.engine.database
    .sql`select 1 from agent_messages where source = 'notice'`;
  return rows.length;
}

describe('the restorer', () => {
  it('takes its tickets from the queue; ten of them are one restoration', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    const restorers = await Promise.all([startRestorer(stores), startRestorer(stores)]);
    const led = await ledContract(house);
    await crash(led);
    const { sql } = house.engine.database;
    await sql`insert into outbox (owner_id, queue, job_id, payload)
              select owner_id, queue, job_id || '_r' || n, payload from outbox, generate_series(1, 9) as n
               where queue = 'restore-supervisor'`;
    for (const restorer of restorers) restorer.relay.poke();
    await eventually(isPending(house, led.supervisor.taskId));
    await eventually(async () => {
      const rows =
        await sql`select 1 from outbox where published_at is null and queue = 'restore-supervisor'`;
      return rows.length === 0;
    });
    await Promise.all(restorers.map((restorer) => restorer.stop()));
    expect(await sql`select 1 from restorations`).toHaveLength(1);
    expect(await notices(house)).toBe(1);
  });

  it.each(['restore.step.1', 'restore.step.2', 'restore.step.3'])(
    'killed at %s it restores once',
    async (step) => {
      const stores = await testStores();
      const house = await testHouse(stores.databaseUrl);
      const led = await ledContract(house);
      await crash(led);
      const doomed = start(stores, `${step}=crash`);
      expect(await doomed.ended).toBe(137);
      // What its lock still holds is found by the next one's sweep.
      await house.engine.database.sql`
        update tasks set pending_since = clock() - interval '1 min' where status = 'interrupted'`;
      const next = start(stores);
      await next.line('started');
      await eventually(isPending(house, led.supervisor.taskId));
      next.signal('SIGTERM');
      expect(await next.ended).toBe(0);
      expect(await notices(house)).toBe(1);
    },
  );

  it('stops within seconds although no store ever came', async () => {
    const child = start({
      databaseUrl: 'postgres://x:y@127.0.0.1:1/z',
      redisUrl: 'redis://127.0.0.1:1',
    });
    await child.line('started');
    const port = await child.port();
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503);
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });
});
