/** Where agents may merge: into their contract's branch, with permission also into its base, nowhere else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { by, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { done, stage } from '../test-stage.ts';
import { TestDaemon } from '../test-daemon.ts';
import { requestMerge } from './merge.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 50 });
});
afterAll(() => t.close());

describe('an agent', () => {
  it.each([
    [true, 'main', true],
    [true, 'release', false],
    [false, 'main', false],
  ] as const)('with permission %s may merge into %s: %s', async (autoMergeLocal, branch, may) => {
    const scene = await stage(t, { daemon, contract: { autoMergeLocal } });
    const task = await done(scene);
    await t.database.sql`update tasks set base_branch = 'main' where id = ${task.taskId}`;
    const input = { id: task.taskId, squash: false };
    const merge = requestMerge(t.engine, by(scene.supervisor), { ...input, targetBranch: branch });
    if (may) await merge;
    else expect((await refusal(merge)).code).toBe('FORBIDDEN');
    await daemon.pull();
    const own = `makima/${scene.contract.slug}`;
    await requestMerge(t.engine, by(scene.supervisor), { ...input, targetBranch: own });
    if (!may) await requestMerge(t.engine, by(t.owner), { ...input, targetBranch: branch });
  });
});

it('where no base is named, the machine tells whether it is the default branch', async () => {
  const scene = await stage(t, { daemon, contract: { autoMergeLocal: true } });
  const { taskId: id } = await done(scene);
  const input = { id, targetBranch: 'trunk', squash: false };
  await requestMerge(t.engine, by(scene.supervisor), input);
  expect(await daemon.pullOnly('branch.merge')).toMatchObject([
    { targetBranch: 'trunk', defaultOnly: true },
  ]);
  const own = { ...input, targetBranch: `makima/${scene.contract.slug}.try` };
  await requestMerge(t.engine, by(scene.supervisor), own);
  await requestMerge(t.engine, by(t.owner), { ...input, squash: true });
  for (const command of await daemon.pullOnly('branch.merge'))
    expect(command.defaultOnly).toBeUndefined();
});

it('a branch of a remote repository is not merged into by anybody', async () => {
  const scene = await stage(t, {
    daemon,
    contract: {
      autoMergeLocal: true,
      repositories: [{ repositoryUrl: 'https://git.example.com/x.git', baseBranch: 'main' }],
    },
  });
  const { taskId: id } = await done(scene);
  for (const caller of [t.owner, scene.supervisor]) {
    const merge = requestMerge(t.engine, by(caller), { id, targetBranch: 'main', squash: false });
    expect(await refusal(merge)).toMatchObject({ code: 'VALIDATION_FAILED' });
  }
});
