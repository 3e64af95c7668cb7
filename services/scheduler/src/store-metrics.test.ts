/** The metrics of the installation: the seed's names, true figures, and a text that Prometheus takes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, type Database } from '@makima/db/client';
import { readFigures } from '@makima/db/repo/figures';
import { changeStatus } from '@makima/engine/contract/change-status';
import { staleKind } from '@makima/engine/contract/stale';
import { createContract } from '@makima/engine/contract/create';
import { zContractInput } from '@makima/contracts/entity/contract';
import { openHouse, testEngine } from '@makima/engine/test/house';
import { createMetrics } from '@makima/runtime/metrics';
import { expositionFaults } from '@makima/runtime/test-exposition';
import { testDatabase } from '@makima/stack/test-stores';
import { registerStoreMetrics } from './store-metrics.ts';

let store: Awaited<ReturnType<typeof testDatabase>>;
let database: Database;
beforeAll(async () => {
  store = await testDatabase();
  database = openDatabase(store.url, { max: 4, name: 'metrics test' });
});
afterAll(async () => {
  await database.close();
  await store.drop();
});

it('are the figures of the rows', async () => {
  const engine = testEngine(database);
  const { owner: caller } = await openHouse(engine);
  const made = [];
  for (const name of ['a', 'b', 'c']) {
    const input = zContractInput.parse({
      name,
      description: 'x',
      agent: 'scripted',
      repositories: [{ localPath: '/nowhere' }],
    });
    made.push((await createContract(engine, { caller }, input)).result);
  }
  const id = made[0]?.id ?? '';
  await changeStatus(engine, { caller }, { id, targetStatus: 'paused' });
  const { sql } = database;
  for (const [n, [from, to]] of [
    ['plan', 'execute'],
    ['plan', 'execute'],
    ['mine', 'my own'],
  ].entries())
    await sql`insert into phase_changes (owner_id, contract_id, from_phase, to_phase, version, guarded, by_kind)
              values (${caller.ownerId}, ${id}, ${from ?? ''}, ${to ?? ''}, ${n + 2}, false, 'person')`;
  const metrics = createMetrics({ service: 'scheduler' });
  registerStoreMetrics(metrics, () => readFigures(sql, { staleKind }));
  const text = await metrics.text();
  expect(expositionFaults(text)).toEqual([]);
  for (const line of [
    'contracts_by_status{status="active",service="scheduler"} 2',
    'contracts_by_status{status="paused",service="scheduler"} 1',
    'contracts_by_status{status="archived",service="scheduler"} 0',
    'contracts_stale_count{service="scheduler"} 0',
    'phase_transitions_total{from="plan",to="execute",service="scheduler"} 2',
    'phase_transitions_total{from="other",to="other",service="scheduler"} 1',
    'completion_detections_total{service="scheduler"} 0',
    'supervisor_restarts_total{service="scheduler"} 0',
    'makima_leases{service="scheduler"} 0',
    'makima_daemons_connected{service="scheduler"} 0',
  ])
    expect(text).toContain(line);
  expect(text).toMatch(/makima_outbox_waiting\{service="scheduler"\} [1-9]/);
});

it('say nothing new while the store is away, and the rest is told', async () => {
  const metrics = createMetrics({ service: 'scheduler' });
  registerStoreMetrics(metrics, () => Promise.reject(new Error('away')));
  expect(await metrics.text()).toContain('process_cpu_seconds_total');
});
