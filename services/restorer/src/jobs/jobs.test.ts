/** Every job of the restorer survives redelivery: ten restorers are one restoration. */
import { describe, expect, it } from 'vitest';
import { jobNames, jobs, jobVersion } from '@makima/contracts/jobs';
import { findTask } from '@makima/db/repo/tasks';
import { endWait, insertWait } from '@makima/db/repo/waits';
import { inTransaction } from '@makima/db/tx';
import { endedReport, type House } from '@makima/engine/test/house';
import { createMetrics } from '@makima/runtime/metrics';
import { restorerHandlers } from '../consumers.ts';
import { restorerMetrics } from '../restorer-metrics.ts';
import { countEvents, crash, delivery, ledContract, testHouse } from '../test/kit.ts';
import { restoreOne } from './restore-supervisor.ts';

function handlersOf(house: House) {
  const counts = restorerMetrics(createMetrics({ service: 'test' }));
  return restorerHandlers(house.engine, restoreOne(house.engine, counts));
}

const taskOf = (house: House, id: string) =>
  findTask(house.engine.database.sql, { ownerId: house.ownerId, id });

describe('the jobs of the restorer', () => {
  it('are those of the catalog', async () => {
    const own = jobNames.filter((name) => jobs[name].service === 'restorer');
    expect(Object.keys(handlersOf(await testHouse())).toSorted()).toEqual(own.toSorted());
  });

  it('restore-supervisor restores once, however many look at once', async () => {
    const house = await testHouse();
    const led = await ledContract(house);
    await crash(led);
    const ticket = { v: jobVersion, ownerId: house.ownerId, ...led.supervisor } as const;
    const restore = handlersOf(house)['restore-supervisor'];
    await Promise.all(Array.from({ length: 10 }, () => restore(ticket, delivery())));
    await restore(ticket, delivery());
    const { sql } = house.engine.database;
    expect(await sql`select 1 from restorations`).toHaveLength(1);
    expect(await sql`select 1 from agent_messages where source = 'notice'`).toHaveLength(1);
    expect(await taskOf(house, led.supervisor.taskId)).toMatchObject({ status: 'pending' });
    await house.assign(led.machine);
    await restore(ticket, delivery());
    const later = await taskOf(house, led.supervisor.taskId);
    expect(later).toMatchObject({ status: 'running', currentAttempt: 2 });
  });

  it('wake-supervisor wakes once', async () => {
    const house = await testHouse();
    const { machine, contract, supervisor } = await ledContract(house);
    const wait = { contractId: contract.id, taskId: supervisor.taskId, ownerId: house.ownerId };
    const { id } = await inTransaction(house.engine.database, (tx) =>
      insertWait(tx, { ...wait, kind: 'time', targetIds: [], until: null }),
    );
    await machine.report(endedReport(supervisor, { outcome: 'parked' }));
    const ticket = { v: jobVersion, ownerId: house.ownerId, ...supervisor } as const;
    const wake = handlersOf(house)['wake-supervisor'];
    await wake(ticket, delivery());
    expect(await taskOf(house, supervisor.taskId)).toMatchObject({ session: 'parked' });
    await inTransaction(house.engine.database, (tx) => endWait(tx, { id, state: 'satisfied' }));
    await Promise.all([wake(ticket, delivery()), wake(ticket, delivery())]);
    await wake(ticket, delivery());
    expect(await taskOf(house, supervisor.taskId)).toMatchObject({
      status: 'pending',
      session: 'none',
    });
    expect(await countEvents(house, 'supervisor.woken')).toBe(1);
  });

  it('save-state builds one snapshot of one state', async () => {
    const house = await testHouse();
    const { supervisor } = await ledContract(house);
    const ticket = { v: jobVersion, ownerId: house.ownerId, ...supervisor } as const;
    const save = handlersOf(house)['save-state'];
    await save(ticket, delivery());
    await save(ticket, delivery());
    await save({ ...ticket, attempt: 7 }, delivery());
    const { sql } = house.engine.database;
    expect(await sql`select 1 from conversation_snapshots`).toHaveLength(1);
  });
});
