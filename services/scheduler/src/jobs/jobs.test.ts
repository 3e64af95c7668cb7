/** Every job of the scheduler survives redelivery: twice is once, late is nothing. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dropStale } from '@makima/bus/stale-delivery';
import { jobNames, jobs, jobVersion } from '@makima/contracts/jobs';
import { MakimaError } from '@makima/domain/error';
import { findContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import { endedReport, type House } from '@makima/engine/test/house';
import { schedulerHandlers } from '../consumers.ts';
import { delivery, relayed, testHouse, testStores, testWire } from '../test/kit.ts';
import { placeOwner } from './spawn-task.ts';

const handlersOf = (house: House) => schedulerHandlers(house.engine, placeOwner(house.engine));

async function count(house: House, type: string): Promise<number> {
  const rows = await house.engine.database.sql`select 1 from events where type = ${type}`;
  return rows.length;
}

describe('the jobs of the scheduler', () => {
  it('are those of the catalog', async () => {
    const house = await testHouse();
    const own = jobNames.filter((name) => jobs[name].service === 'scheduler');
    expect(Object.keys(handlersOf(house)).toSorted()).toEqual(own.toSorted());
  });

  it('spawn-task places what is pending, once', async () => {
    const house = await testHouse();
    const machine = await house.connect();
    const contract = await house.contract();
    await house.spawn(contract.id);
    const ticket = { v: jobVersion, ownerId: house.ownerId, taskId: null } as const;
    const handlers = handlersOf(house);
    const turns = Array.from({ length: 50 }, () => handlers['spawn-task'](ticket, delivery()));
    await Promise.all(turns);
    await handlers['spawn-task'](ticket, delivery());
    const { sql } = house.engine.database;
    const commands = await sql`
      select 1 from daemon_commands where daemon_id = ${machine.principal.daemonId} and kind = 'task.start'`;
    expect(commands).toHaveLength(2);
    expect(await count(house, 'task.assigned')).toBe(2);
  });

  it('retry-task decides once, and leaves alone what went on', async () => {
    const house = await testHouse();
    const machine = await house.connect();
    const contract = await house.contract();
    const task = await house.spawn(contract.id);
    await house.assign(machine);
    await machine.report(endedReport({ taskId: task.id, attempt: 1 }, { outcome: 'crashed' }));
    const ticket = { v: jobVersion, ownerId: house.ownerId, taskId: task.id, attempt: 1 } as const;
    const retry = handlersOf(house)['retry-task'];
    await Promise.all([retry(ticket, delivery()), retry(ticket, delivery())]);
    await retry(ticket, delivery());
    const row = await findTask(house.engine.database.sql, { ownerId: house.ownerId, id: task.id });
    expect(row).toMatchObject({ status: 'pending', retryCount: 1 });
    expect(await count(house, 'task.retried')).toBe(1);
    await house.assign(machine);
    await retry({ ...ticket, attempt: 1 }, delivery());
    const later = await findTask(house.engine.database.sql, {
      ownerId: house.ownerId,
      id: task.id,
    });
    expect(later).toMatchObject({ currentAttempt: 2, status: 'running' });
  });

  it('evaluate-contract and clean-contract find nothing to do the second time', async () => {
    const house = await testHouse();
    const machine = await house.connect();
    const contract = await house.contract();
    await house.assign(machine);
    const about = { ownerId: house.ownerId, id: contract.id };
    const supervisor = { taskId: contract.supervisorTaskId ?? '', attempt: 1 };
    await machine.report(endedReport(supervisor, { outcome: 'failed', error: 'gave up' }));
    const ticket = { v: jobVersion, ownerId: house.ownerId, contractId: contract.id } as const;
    const handlers = handlersOf(house);
    await handlers['evaluate-contract'](ticket, delivery());
    await handlers['evaluate-contract'](ticket, delivery());
    const { sql } = house.engine.database;
    expect(await findContract(sql, about)).toMatchObject({ status: 'failed' });
    expect(await count(house, 'contract.failed')).toBe(1);
    await relayed(house);
    await handlers['clean-contract'](ticket, delivery());
    await handlers['clean-contract'](ticket, delivery());
    const cleans = await sql`select 1 from operations where kind = 'workdir.clean'`;
    expect(cleans).toHaveLength(1);
  });

  it('about what is gone are dropped, and other failures are not', async () => {
    const stores = await testStores();
    const house = await testHouse(stores.databaseUrl);
    const { bus } = testWire(stores);
    const handlers = handlersOf(house);
    const nowhere = { v: jobVersion, ownerId: house.ownerId, contractId: randomUUID() } as const;
    await dropStale(bus, 'evaluate-contract', handlers['evaluate-contract'])(nowhere, delivery());
    await dropStale(bus, 'clean-contract', handlers['clean-contract'])(nowhere, delivery());
    const lost = {
      v: jobVersion,
      ownerId: house.ownerId,
      taskId: randomUUID(),
      attempt: 3,
    } as const;
    await dropStale(bus, 'retry-task', handlers['retry-task'])(lost, delivery());
    for (const code of ['FENCED', 'NOT_FOUND', 'CONTRACT_NOT_FOUND'] as const) {
      const stale = dropStale(bus, 'retry-task', () =>
        Promise.reject(new MakimaError(code, 'over')),
      );
      await stale(lost, delivery());
    }
    const failing = dropStale(bus, 'retry-task', () =>
      Promise.reject(new MakimaError('CONFLICT', 'no')),
    );
    await expect(failing(lost, delivery())).rejects.toThrow('no');
    expect(await bus.inner.metrics.text()).toContain(
      'makima_stale_deliveries_total{queue="retry-task"',
    );
  });
});
