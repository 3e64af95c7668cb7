/** Work that was finished after its lease was lost counts while nobody has begun it anew. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expireLeases } from '../daemon/expire-leases.ts';
import { getContract } from '../contract/get.ts';
import { TestDaemon } from '../test-daemon.ts';
import { eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t, { slots: 20 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

async function lost(name: string): Promise<{ taskId: string; attempt: number }> {
  const task = await running(scene, { name });
  await t.database.sql`
    update task_attempts set lease_expires_at = clock() - interval '1 s' where task_id = ${task.taskId}`;
  await expireLeases(t.engine, { limit: 100 });
  expect((await taskRow(t, task.taskId)).status).toBe('interrupted');
  return task;
}

const reasonOf = async (of: { taskId: string; attempt: number }): Promise<string> => {
  const [row] = await t.database.sql<{ reason: string }[]>`
    select reason from task_attempts where task_id = ${of.taskId} and attempt = ${of.attempt}`;
  return row?.reason ?? '';
};

it.each(['interrupted', 'pending'])(
  'of a task that is %s: it is done, and said to be late',
  async (status) => {
    const task = await lost(`late while ${status}`);
    await t.database.sql`update tasks set status = ${status} where id = ${task.taskId}`;
    await scene.daemon.ended(task, { summary: 'All tests pass.' });
    expect(await taskRow(t, task.taskId)).toMatchObject({
      status: 'done',
      outputSummary: 'All tests pass.',
      currentAttempt: 1,
      errorMessage: null,
    });
    expect(await reasonOf(task)).toContain('came late and counts');
    const told = (await eventsOf(t, scene.contract.id)).filter((e) => e.taskId === task.taskId);
    expect(told.slice(-2).map((e) => [e.type, e.data['counted']])).toEqual([
      ['task.late', true],
      ['task.completed', undefined],
    ]);
    await runJobs(t);
    expect((await taskRow(t, task.taskId)).currentAttempt).toBe(1);
    expect(await scene.daemon.pullOnly('task.start')).toEqual([]);
  },
);

it('by its own word failed stays evidence: the work is tried again', async () => {
  const task = await lost('failed late');
  await scene.daemon.ended(task, { outcome: 'failed', error: 'no' });
  expect((await taskRow(t, task.taskId)).status).toBe('interrupted');
  const told = (await eventsOf(t, scene.contract.id)).filter((e) => e.taskId === task.taskId);
  expect(told.at(-1)?.data).toMatchObject({ counted: false });
});

it('on a ref of its machine is named once, however often it is told, and changes nothing', async () => {
  const { taskId, attempt } = await running(scene, { name: 'kept' });
  const task = { taskId, attempt };
  const ref = `refs/makima/kept/${task.taskId}-a1-retired`;
  const told = { kind: 'task.kept', ...task, ref, why: 'retired' } as const;
  const stranger = await TestDaemon.join(t);
  await stranger.report(told);
  const named = async () =>
    (await eventsOf(t, scene.contract.id)).filter(
      (e) => e.type === 'task.kept' && e.taskId === task.taskId,
    );
  expect(await named()).toEqual([]);
  for (let time = 0; time < 2; time++) await scene.daemon.report(told);
  expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'running', currentAttempt: 1 });
  await scene.daemon.ended(task, { outcome: 'failed', error: 'no', keptRef: ref });
  expect((await named()).map((e) => e.data)).toMatchObject([{ ref, why: 'retired', attempt: 1 }]);
  const { keptRefs } = await getContract(t.engine, t.owner, { id: scene.contract.id });
  expect(keptRefs).toEqual([{ taskId: task.taskId, ref, why: 'retired' }]);
});
