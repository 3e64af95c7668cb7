/** Placement: no machine that is gone, and no task that cannot be placed, holds up the others. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expireLeases } from '../daemon/expire-leases.ts';
import { revokeDaemon } from '../identity/daemons.ts';
import { TestDaemon } from '../test-daemon.ts';
import { getContract } from '../contract/get.ts';
import { by, newContract, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { spawned, stage, taskRow } from '../test-stage.ts';
import { assignPending, placementBatch } from './assign.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.close());

it('a path binds no task to a machine that was revoked', async () => {
  const scene = await stage(t);
  await revokeDaemon(t.engine, by(t.owner), { id: scene.daemon.id });
  const other = await TestDaemon.join(t);
  await t.database.sql`update task_attempts set lease_expires_at = clock() - interval '1 min'`;
  await expireLeases(t.engine, { limit: 10 });
  await runJobs(t);
  const starts = await other.pullOnly('task.start');
  expect(starts.map((start) => start.taskId)).toEqual([scene.supervisorTaskId]);
});

it('a page of tasks that have no place holds up none behind it', async () => {
  const scene = await stage(t, { slots: 3 });
  const last = await spawned(scene, { name: 'behind them all' });
  await t.database.sql`
    insert into tasks (owner_id, contract_id, name, plan, agent, status, priority, pending_since, depth, session_id)
    select owner_id, contract_id, 'nowhere ' || n, plan, 'nowhere', 'pending', priority + 1, pending_since, depth, uuidv7()
      from tasks, generate_series(1, ${placementBatch}) n where id = ${last.id}`;
  const { result } = await assignPending(t.engine, t.system);
  expect(result.assigned.map((one) => one.taskId)).toEqual([last.id]);
  expect(result.unplaced).toHaveLength(placementBatch);
});

it('a task whose time has not come takes no place in the page', async () => {
  const scene = await stage(t);
  const later = await spawned(scene, { name: 'later' });
  await t.database
    .sql`update tasks set resume_at = clock() + interval '1 hour' where id = ${later.id}`;
  const { result } = await assignPending(t.engine, t.system);
  expect(result).toEqual({ assigned: [], unplaced: [] });
  expect((await taskRow(t, later.id)).status).toBe('pending');
});

it('a contract shows that it stands still, however many wait before it', async () => {
  const scene = await stage(t, { slots: 3 });
  const standing = await spawned(scene, { name: 'has no agent', agent: 'nowhere' });
  const many = await newContract(t, { name: 'many' });
  await t.database.sql`
    insert into tasks (owner_id, contract_id, name, plan, agent, status, priority, pending_since, depth, session_id)
    select owner_id, ${many.id}, 'waits ' || n, plan, 'scripted', 'pending', priority + 1, pending_since, depth, uuidv7()
      from tasks, generate_series(1, ${3 * placementBatch}) n where id = ${standing.id}`;
  const attention = async (id: string) => (await getContract(t.engine, t.owner, { id })).attention;
  expect(await attention(scene.contract.id)).toBe('needs_you');
  expect(await attention(many.id)).not.toBe('needs_you');
});
