/** The sweep finds supervisors whose restoration never came, and restores them itself. */
import { describe, expect, it } from 'vitest';
import { leaderOf } from '@makima/db/leader';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog } from '@makima/runtime/test-log';
import type { House } from '@makima/engine/test/house';
import { restoreOne } from '../jobs/restore-supervisor.ts';
import { restorerMetrics } from '../restorer-metrics.ts';
import { crash, ledContract, testHouse } from '../test/kit.ts';
import { orphanedSupervisors, type OrphansDeps } from './orphaned-supervisors.ts';

function sweepOf(
  { engine }: Pick<House, 'engine'>,
  timings: Pick<OrphansDeps, 'olderThanMs' | 'intervalMs'> = {},
) {
  const metrics = createMetrics({ service: 'test' });
  const counts = restorerMetrics(metrics);
  const log = testLog();
  const leader = leaderOf(engine.database);
  const restore = restoreOne(engine, counts);
  return orphanedSupervisors({ engine, leader, log, metrics, counts, restore, ...timings });
}

describe('orphaned-supervisors', () => {
  it('restores what waited too long, once, and leaves the rest to its job', async () => {
    const house = await testHouse();
    await crash(await ledContract(house));
    await sweepOf(house, { olderThanMs: 60_000 }).tick();
    const { sql } = house.engine.database;
    expect(await sql`select 1 from restorations`).toHaveLength(0);
    await Promise.all([
      sweepOf(house, { olderThanMs: 0 }).tick(),
      sweepOf(house, { olderThanMs: 0 }).tick(),
    ]);
    await sweepOf(house, { olderThanMs: 0 }).tick();
    expect(await sql`select 1 from restorations`).toHaveLength(1);
  });

  it('takes up at its start what a process died with a moment ago; later its job has more time', async () => {
    const house = await testHouse();
    const { sql } = house.engine.database;
    const restored = async () => (await sql`select 1 from restorations`).length;
    const sweep = sweepOf(house);
    await sweep.tick();
    await crash(await ledContract(house));
    await sql`update tasks set pending_since = pending_since - interval '2 seconds'
               where status = 'interrupted'`;
    await sweep.tick();
    expect(await restored()).toBe(0);
    await sweepOf(house).tick();
    expect(await restored()).toBe(1);
  });

  it('asks a store that was away again a second later', async () => {
    const house = await testHouse();
    await crash(await ledContract(house));
    const { database } = house.engine;
    let asked = 0;
    const ping = (ms: number): Promise<void> => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('away')) : database.ping(ms);
    };
    const engine = { ...house.engine, database: { ...database, ping } };
    const sweep = sweepOf({ engine }, { olderThanMs: 0, intervalMs: 3_600_000 });
    await sweep.start?.();
    const restored = async () => (await database.sql`select 1 from restorations`).length;
    while ((await restored()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toBe(2);
    await sweep.stop?.();
  });

  it('is stopped before it starts, and twice', async () => {
    const house = await testHouse();
    const sweep = sweepOf(house, { olderThanMs: 0 });
    await sweep.stop?.();
    await sweep.start?.();
    await sweep.stop?.();
    await sweep.stop?.();
  });
});
