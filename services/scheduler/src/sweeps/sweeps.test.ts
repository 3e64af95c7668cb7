/** The sweeps: each does what no job did, twice is once, and one process at a time where twice is waste. */
import { describe, expect, it } from 'vitest';
import { leaderOf } from '@makima/db/leader';
import { findDaemon } from '@makima/db/repo/daemons';
import { findTask } from '@makima/db/repo/tasks';
import { findWait, insertWait } from '@makima/db/repo/waits';
import { inTransaction } from '@makima/db/tx';
import type { House } from '@makima/engine/test/house';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog } from '@makima/runtime/test-log';
import { placeOwner } from '../jobs/spawn-task.ts';
import { mailOf, relayed, testHouse } from '../test/kit.ts';
import { contractTimers } from './contract-timers.ts';
import { dueWaits } from './due-waits.ts';
import { expiredLeases } from './expired-leases.ts';
import { lateAnswers } from './late-answers.ts';
import { outboxPrune } from './outbox-prune.ts';
import { pendingTasks } from './pending-tasks.ts';
import { silentDaemons } from './silent-daemons.ts';
import { createSweep, type SweepDeps } from './sweep.ts';

function depsOf(house: House): SweepDeps {
  const { engine } = house;
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  return { engine, leader: leaderOf(engine.database), log, metrics };
}

describe('the sweeps', () => {
  it('expired-leases gives up what nobody renewed, and nothing else', async () => {
    const house = await testHouse();
    const machine = await house.connect();
    const contract = await house.contract();
    const task = await house.spawn(contract.id);
    await house.assign(machine);
    const { sql } = house.engine.database;
    await sql`update task_attempts set lease_expires_at = clock() - interval '1 s' where task_id = ${task.id}`;
    const sweep = expiredLeases({ ...depsOf(house), settled: async () => true });
    await relayed(house);
    await sweep.tick();
    await sweep.tick();
    const about = (id: string) => ({ ownerId: house.ownerId, id });
    expect(await findTask(sql, about(task.id))).toMatchObject({ status: 'interrupted' });
    const supervisor = contract.supervisorTaskId ?? '';
    expect(await findTask(sql, about(supervisor))).toMatchObject({ status: 'running' });
    expect(await mailOf(house, 'retry-task')).toHaveLength(1);
  });

  it('silent-daemons says that a machine is gone', async () => {
    const house = await testHouse();
    const [silent, loud] = [await house.connect(), await house.connect()];
    const { sql } = house.engine.database;
    await sql`update daemons set last_seen_at = clock() - interval '60 s' where id = ${silent.principal.daemonId}`;
    await silentDaemons({ ...depsOf(house), settled: async () => true }).tick();
    const status = async (id: string): Promise<string | undefined> =>
      (await findDaemon(sql, { ownerId: house.ownerId, id }))?.status;
    expect(await status(silent.principal.daemonId)).toBe('disconnected');
    expect(await status(loud.principal.daemonId)).toBe('connected');
  });

  it('pending-tasks places without a ticket', async () => {
    const house = await testHouse();
    const contract = await house.contract();
    await house.connect();
    const { sql } = house.engine.database;
    await sql`delete from outbox`;
    await pendingTasks({ ...depsOf(house), place: placeOwner(house.engine) }).tick();
    const about = { ownerId: house.ownerId, id: contract.supervisorTaskId ?? '' };
    expect(await findTask(sql, about)).toMatchObject({ status: 'starting' });
  });

  it('due-waits ends waits whose time is over', async () => {
    const house = await testHouse();
    const contract = await house.contract();
    const { sql } = house.engine.database;
    const wait = (until: Date) =>
      inTransaction(house.engine.database, (tx) =>
        insertWait(tx, {
          ownerId: house.ownerId,
          contractId: contract.id,
          taskId: null,
          kind: 'time',
          targetIds: [],
          until,
        }),
      );
    const over = await wait(new Date(Date.now() - 1_000));
    const open = await wait(new Date(Date.now() + 60_000));
    await dueWaits(depsOf(house)).tick();
    const state = async (id: string) =>
      (await findWait(sql, { ownerId: house.ownerId, id }))?.state;
    expect([await state(over.id), await state(open.id)]).toEqual(['timed_out', 'open']);
  });

  it('outbox-prune removes what was relayed long ago', async () => {
    const house = await testHouse();
    await house.contract();
    const { sql } = house.engine.database;
    const { pruneOutbox } = await import('@makima/db/repo/outbox');
    const prune = (): Promise<number> => pruneOutbox(sql, { olderThanHours: 24 });
    await sql`update outbox set published_at = clock() - interval '25 h'`;
    await house.contract();
    const waiting = (await mailOf(house)).length;
    await outboxPrune({ ...depsOf(house), prune }).tick();
    const left = await sql`select 1 from outbox`;
    expect(left).toHaveLength(waiting);
  });

  it('late-answers and contract-timers rest when nothing is due', async () => {
    const house = await testHouse();
    await house.contract();
    await relayed(house);
    await lateAnswers(depsOf(house)).tick();
    await contractTimers(depsOf(house)).tick();
    expect(await mailOf(house)).toEqual([]);
  });
});

describe('a sweep', () => {
  it('judges nobody by a silence that may have been the store’s', async () => {
    const house = await testHouse();
    const machine = await house.connect();
    await house.contract();
    await house.assign(machine);
    const { sql } = house.engine.database;
    await sql`update task_attempts set lease_expires_at = clock() - interval '1 s'`;
    await sql`update daemons set last_seen_at = clock() - interval '60 s'`;
    const deps = { ...depsOf(house), settled: async () => false };
    await Promise.all([expiredLeases(deps).tick(), silentDaemons(deps).tick()]);
    const rows = await sql`
      select 1 from task_attempts a join daemons d on d.id = a.daemon_id
       where a.state = 'running' and d.status = 'connected'`;
    expect(rows).toHaveLength(1);
  });

  it('leaves the round to the process that has it', async () => {
    const house = await testHouse();
    let rounds = 0;
    const gate = Promise.withResolvers<void>();
    const spec = {
      name: 'one',
      intervalMs: 60_000,
      who: 'one' as const,
      async round() {
        rounds += 1;
        await gate.promise;
        return 0;
      },
    };
    const [here, there] = [createSweep(depsOf(house), spec), createSweep(depsOf(house), spec)];
    const first = here.tick();
    while (rounds === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await there.tick();
    expect(rounds).toBe(1);
    gate.resolve();
    await first;
    await there.tick();
    expect(rounds).toBe(2);
  });

  it('goes on while its rounds are full, and only so long', async () => {
    const house = await testHouse();
    const found = [10, 10, 3];
    const spec = {
      name: 'full',
      intervalMs: 60_000,
      limit: 10,
      round: async () => found.shift() ?? 0,
    };
    await createSweep(depsOf(house), spec).tick();
    expect(found).toEqual([]);
    let endless = 0;
    const always = { ...spec, round: async () => ((endless += 1), 10) };
    await createSweep(depsOf(house), always).tick();
    expect(endless).toBe(50);
  });

  it('starts and stops twice, and does nothing while the store is away', async () => {
    const house = await testHouse();
    let rounds = 0;
    const spec = { name: 'away', intervalMs: 5, round: async () => ((rounds += 1), 0) };
    const sweep = createSweep(depsOf(house), spec);
    await sweep.stop();
    sweep.start();
    sweep.start();
    while (rounds < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await sweep.stop();
    await sweep.stop();
    await house.engine.database.close();
    const before = rounds;
    await sweep.tick();
    expect(rounds).toBe(before);
  });

  it('asks a store that was away again a second later, however seldom it sweeps', async () => {
    const house = await testHouse();
    const { engine, ...deps } = depsOf(house);
    let asked = 0;
    const ping = (ms: number): Promise<void> => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('away')) : engine.database.ping(ms);
    };
    const fresh = { ...engine, database: { ...engine.database, ping } };
    const swept = Promise.withResolvers<number>();
    const round = async (): Promise<number> => (swept.resolve(asked), 0);
    const sweep = createSweep(
      { ...deps, engine: fresh },
      { name: 'seldom', intervalMs: 3_600_000, round },
    );
    sweep.start();
    expect(await swept.promise).toBe(2);
    await sweep.stop();
  });
});
