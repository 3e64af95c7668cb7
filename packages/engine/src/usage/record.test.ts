/** What agents use counts once: told in the middle, at the end, twice, late, by attempts that go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zReport, type Usage } from '@makima/contracts/socket/reports';
import { nothingSpent } from '@makima/domain/usage';
import { getContract } from '../contract/get.ts';
import { listContracts } from '../contract/list.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { getTask } from '../task/get.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import { openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, stage, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  const price = { input: 1_000_000, output: 10_000_000, cacheRead: 0, cacheWrite: 0 };
  t = await openTestEngine({ settings: { prices: new Map([['priced', price]]) } });
  scene = await stage(t, { slots: 20 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const used = (usage: Partial<Usage>): Usage => ({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  conversationCostMicros: null,
  model: null,
  ...usage,
});
type Of = { readonly taskId: string; readonly attempt: number };
const tells = ({ taskId, attempt }: Of, usage: Partial<Usage>) =>
  scene.daemon.report({ kind: 'task.used', taskId, attempt, usage: used(usage) });
const spentBy = async ({ taskId }: { taskId: string }) =>
  (await getTask(t.engine, t.owner, { id: taskId })).usage;
/** It is lost and begun again, in the same conversation. */
async function again(of: Of): Promise<Of> {
  await t.database.sql`
    update task_attempts set lease_expires_at = clock() - interval '1 s' where task_id = ${of.taskId}`;
  await expireLeases(t.engine, { limit: 100 });
  await t.database.sql`update tasks set status = 'pending' where id = ${of.taskId}`;
  await t.database.sql`
    insert into outbox (owner_id, queue, job_id, payload)
    values (${t.ownerId}, 'spawn-task', ${`again-${of.taskId}-${of.attempt}`}, ${t.database.sql.json({ v: 1, ownerId: t.ownerId, taskId: of.taskId })})`;
  await runJobs(t);
  const start = (await scene.daemon.pullOnly('task.start')).find((c) => c.taskId === of.taskId);
  if (start === undefined) throw new Error('it did not begin again');
  await scene.daemon.started(start);
  return start;
}

describe('what an attempt used', () => {
  it('is its last total, however often and in whatever order it was told', async () => {
    const task = await running(scene, { name: 'told often' });
    await tells(task, { inputTokens: 10, outputTokens: 1, conversationCostMicros: 500 });
    await tells(task, { inputTokens: 30, outputTokens: 3, conversationCostMicros: 900 });
    await tells(task, { inputTokens: 10, outputTokens: 1, conversationCostMicros: 500 });
    const last = used({ inputTokens: 40, outputTokens: 4, conversationCostMicros: 1_000 });
    await scene.daemon.ended(task, { usage: last });
    await scene.daemon.ended(task, { usage: last });
    expect(await spentBy(task)).toEqual({
      ...nothingSpent,
      inputTokens: 40,
      outputTokens: 4,
      costMicros: 1_000,
    });
  });

  it('counts once when its frame is sent twice', async () => {
    const task = await running(scene, { name: 'sent twice' });
    const usage = used({ outputTokens: 7, conversationCostMicros: 70 });
    await scene.daemon.report(endedReport(task, { usage }));
    await scene.daemon.send(scene.daemon.seq, [endedReport(task, { usage })]);
    expect(await spentBy(task)).toMatchObject({ outputTokens: 7, costMicros: 70 });
  });

  it('counts whole when two tasks tell of it at once', async () => {
    const other = await TestDaemon.join(t, { agents: ['another'] });
    const one = await running(scene, { name: 'one' });
    const two = await running(scene, { name: 'two' });
    await t.database
      .sql`update task_attempts set daemon_id = ${other.id} where task_id = ${two.taskId}`;
    const usage = used({ outputTokens: 5, conversationCostMicros: 50 });
    const before = (await getContract(t.engine, t.owner, { id: scene.contract.id })).usage;
    await Promise.all([scene.daemon.ended(one, { usage }), other.ended(two, { usage })]);
    const after = (await getContract(t.engine, t.owner, { id: scene.contract.id })).usage;
    expect(after.costMicros - before.costMicros).toBe(100);
    expect(after.outputTokens - before.outputTokens).toBe(10);
    const [listed] = (await listContracts(t.engine, t.owner, { limit: 1 })).items;
    expect(listed?.usage).toEqual(after);
  });

  it('is a part of what its conversation cost, also when the first attempt tells late', async () => {
    const first = await running(scene, { name: 'goes on' });
    const second = await again(first);
    await tells(second, { outputTokens: 2, conversationCostMicros: 700 });
    expect(await spentBy(first)).toMatchObject({ outputTokens: 2, costMicros: 700 });
    await scene.daemon.ended(first, {
      outcome: 'crashed',
      usage: used({ outputTokens: 1, conversationCostMicros: 500 }),
    });
    expect(await spentBy(first)).toMatchObject({ outputTokens: 3, costMicros: 700 });
    const { attempts } = await getTask(t.engine, t.owner, { id: first.taskId });
    expect(attempts.map(({ usage }) => usage.costMicros)).toEqual([500, 200]);
    await scene.daemon.ended(second, { usage: used({ conversationCostMicros: 800 }) });
    expect(await spentBy(first)).toMatchObject({ outputTokens: 3, costMicros: 800 });
  });

  it('is everything of an agent that counts anew, also beyond what it had told before', async () => {
    const first = await running(scene, { name: 'counts anew' });
    await tells(first, { conversationCostMicros: 500 });
    const second = await again(first);
    const seen: number[] = [];
    for (const conversationCostMicros of [0, 100, 450, 600]) {
      await tells(second, { conversationCostMicros });
      seen.push((await spentBy(first)).costMicros);
    }
    expect(seen).toEqual([500, 600, 950, 1_100]);
  });

  it('is added to that of another conversation', async () => {
    const first = await running(scene, { name: 'anew' });
    await tells(first, { conversationCostMicros: 700 });
    await t.database
      .sql`update tasks set session_id = gen_random_uuid() where id = ${first.taskId}`;
    const second = await again(first);
    await tells(second, { conversationCostMicros: 800 });
    expect(await spentBy(first)).toMatchObject({ costMicros: 1_500 });
  });

  it('is derived from a price that is known, and has none otherwise', async () => {
    const task = await running(scene, { name: 'tells tokens', model: 'priced-large' });
    await tells(task, { inputTokens: 1_000, outputTokens: 100 });
    expect(await spentBy(task)).toMatchObject({
      costMicros: 2_000,
      costEstimated: true,
      unpricedTokens: 0,
    });
    const bare = await running(scene, { name: 'tells only tokens' });
    await tells(bare, { inputTokens: 1_000, model: 'nobody-knows' });
    expect(await spentBy(bare)).toMatchObject({ costMicros: 0, unpricedTokens: 1_000 });
    await tells(bare, { inputTokens: 1_001, model: 'priced-small' });
    expect(await spentBy(bare)).toMatchObject({ costMicros: 1_001, unpricedTokens: 0 });
  });

  it('of another daemon is nothing', async () => {
    const task = await running(scene, { name: 'mine' });
    const other = await TestDaemon.join(t, { agents: ['another'] });
    const { taskId, attempt } = task;
    await other.report({ kind: 'task.used', taskId, attempt, usage: used({ outputTokens: 5 }) });
    expect(await spentBy(task)).toEqual(nothingSpent);
  });
});

it('an end as older daemons tell it is read, without its cost', () => {
  const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const old = endedReport(
    { taskId: scene.supervisorTaskId, attempt: 1 },
    { usage: { ...usage, costUsd: 0.5 } as never },
  );
  expect(zReport.parse(old)).toMatchObject({
    usage: { ...usage, conversationCostMicros: null, model: null },
  });
});
