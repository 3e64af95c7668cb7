/** An agent's key lives as long as its attempt does, and opens nothing afterwards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeStatus } from '../contract/change-status.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { spawnTask } from '../task/spawn.ts';
import { by, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { TestDaemon } from '../test-daemon.ts';
import { running, spawnInput, stage, type Stage } from '../test-stage.ts';
import { authenticate } from './authenticate.ts';
import { issueToolKey } from './issue-tool-key.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 50 });
});
afterAll(() => t.close());

const keyOf = async (scene: Stage, of: { taskId: string; attempt: number }): Promise<string> =>
  (await issueToolKey(t.engine, scene.daemon.principal, of)).key;
const revoked = async (taskId: string): Promise<boolean[]> =>
  (
    await t.database.sql<{ gone: boolean }[]>`
      select revoked_at is not null as gone from keys where task_id = ${taskId}`
  ).map((row) => row.gone);

describe('the key of an attempt', () => {
  it.each(['done', 'failed', 'crashed', 'stopped'] as const)(
    'is dead when it is %s',
    async (outcome) => {
      const scene = await stage(t, { daemon });
      const task = await running(scene);
      const key = await keyOf(scene, task);
      expect(await authenticate(t.engine, key)).toMatchObject({ kind: 'agent' });
      await scene.daemon.ended(task, { outcome, error: 'x' });
      expect(await authenticate(t.engine, key)).toBeNull();
      expect(await revoked(task.taskId)).toEqual([true]);
    },
  );

  it('is dead when its lease is over, and a call under way is fenced', async () => {
    const scene = await stage(t, { daemon });
    const supervisor = { taskId: scene.supervisorTaskId, attempt: 1 };
    const key = await keyOf(scene, supervisor);
    await t.database.sql`update task_attempts set lease_expires_at = clock() - interval '1 s'
                          where task_id = ${supervisor.taskId}`;
    await expireLeases(t.engine, { limit: 10 });
    expect(await authenticate(t.engine, key)).toBeNull();
    const spawn = spawnTask(t.engine, by(scene.supervisor), spawnInput(scene.contract.id));
    expect((await refusal(spawn)).code).toBe('FENCED');
  });

  it('lives while its agent is being stopped', async () => {
    const scene = await stage(t, { daemon });
    const supervisor = { taskId: scene.supervisorTaskId, attempt: 1 };
    const key = await keyOf(scene, supervisor);
    await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'paused' });
    expect(await authenticate(t.engine, key)).not.toBeNull();
    await scene.daemon.ended(supervisor, { outcome: 'stopped' });
    expect(await authenticate(t.engine, key)).toBeNull();
  });
});
