/** Redis burns down, forgets, or is not there yet: nothing is lost, nothing happens twice. */
import { describe, expect, it } from 'vitest';
import { findTask } from '@makima/db/repo/tasks';
import { createContract } from '@makima/engine/contract/create';
import { zContractInput } from '@makima/contracts/entity/contract';
import type { House } from '@makima/engine/test/house';
import { spareRedis } from '@makima/stack/test-stores';
import { eventually, mailOf, onEnd, testHouse, testStores } from '../test/kit.ts';
import { startScheduler } from '../test/scheduler.ts';

const isStarting = (house: House, id: string | null) => async (): Promise<boolean> => {
  const about = { ownerId: house.ownerId, id: id ?? '' };
  return (await findTask(house.engine.database.sql, about))?.status === 'starting';
};

describe('the outbox', () => {
  it('leaves at once with the commit, in this process and in another', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    const { engine } = await startScheduler(stores);
    await house.connect();
    const input = zContractInput.parse({
      name: 'Soon',
      description: 'now',
      agent: 'scripted',
      repositories: [{ localPath: '/srv/repository' }],
    });
    const { result } = await createContract(engine, { caller: house.owner }, input);
    await eventually(isStarting(house, result.supervisorTaskId));
    const other = await house.contract();
    await eventually(isStarting(house, other.supervisorTaskId));
    await eventually(async () => (await mailOf(house)).length === 0);
  });

  it('waits for a Redis that is away, and arrives once when it is back', async () => {
    const stores = await testStores();
    const redis = await spareRedis();
    onEnd(redis.stop);
    await redis.kill();
    const house = await testHouse(stores.databaseUrl);
    await startScheduler({ ...stores, redisUrl: redis.url });
    await house.connect();
    const contracts = [await house.contract(), await house.contract()];
    expect((await mailOf(house, 'spawn-task')).length).toBeGreaterThanOrEqual(2);
    await redis.restart();
    for (const one of contracts) await eventually(isStarting(house, one.supervisorTaskId));
    await eventually(async () => (await mailOf(house)).length === 0);
    const { sql } = house.engine.database;
    expect(await sql`select 1 from task_attempts`).toHaveLength(2);
  });
});

describe('a Redis that forgot everything', () => {
  it('is refilled from the rows at once', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    const relaying = await startScheduler(stores, { consumers: 'paused' });
    const contract = await house.contract();
    await eventually(async () => (await mailOf(house)).length === 0);
    await house.connect();
    await eventually(async () => (await mailOf(house)).length === 0);
    await relaying.log.line('redis has lost its memory, requeueing everything that needs a job');
    await relaying.bus.inner.redis.flushall();
    await eventually(async () => {
      const rows = await house.engine.database.sql`select 1 from outbox where job_id like '%\\_r%'`;
      return rows.length > 0;
    });
    await relaying.stop();
    await startScheduler(stores);
    await eventually(isStarting(house, contract.supervisorTaskId));
    const { sql } = house.engine.database;
    expect(await sql`select 1 from task_attempts`).toHaveLength(1);
  });
});

describe('two schedulers', () => {
  it('place each task once, under load', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    await Promise.all([startScheduler(stores), startScheduler(stores)]);
    await house.connect({ maxConcurrentTasks: 1_000 });
    const contract = await house.contract();
    const tasks = await Promise.all(
      Array.from({ length: 20 }, (_, n) => house.spawn(contract.id, `task ${n}`)),
    );
    for (const task of tasks) await eventually(isStarting(house, task.id));
    const { sql } = house.engine.database;
    const attempts = await sql<{ attempt: number }[]>`select attempt from task_attempts`;
    expect(attempts.map((row) => row.attempt)).toEqual(Array.from({ length: 21 }, () => 1));
  });
});
