/** The self-audit as a sweep: found, healed, counted by kind, and not at all before the store has settled. */
import { expect, it } from 'vitest';
import { leaderOf } from '@makima/db/leader';
import { createMetrics } from '@makima/runtime/metrics';
import { testLog } from '@makima/runtime/test-log';
import { testHouse } from '../test/kit.ts';
import { selfAudit } from './self-audit.ts';

it('puts right what it finds, and counts it once', async () => {
  const house = await testHouse();
  const { engine, ownerId } = house;
  const { sql } = engine.database;
  const { id } = await house.contract();
  await sql`insert into waits (owner_id, contract_id, kind, target_ids, until)
            values (${ownerId}, ${id}, 'time', '{}', clock() - interval '5 min')`;
  const metrics = createMetrics({ service: 'test' });
  let isSettled = false;
  const sweep = selfAudit({
    engine,
    leader: leaderOf(engine.database),
    log: testLog(),
    metrics,
    settled: async () => isSettled,
    auditMs: 60_000,
  });
  const states = () => sql`select state from waits`;
  await sweep.tick();
  expect(await states()).toEqual([{ state: 'open' }]);
  isSettled = true;
  await sweep.tick();
  expect(await states()).toEqual([{ state: 'timed_out' }]);
  expect(await metrics.text()).toMatch(/makima_incidents_open\{kind="wait_overdue"[^}]*\} 1/);
  await sweep.tick();
  const text = await metrics.text();
  expect(text).toMatch(/makima_audit_violations_total\{kind="wait_overdue"[^}]*\} 1/);
  expect(text).toMatch(/makima_incidents_open\{kind="wait_overdue"[^}]*\} 0/);
});
