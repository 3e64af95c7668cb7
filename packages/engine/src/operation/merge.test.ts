/** Where agents may merge: within their contract, with permission also into its base, else as a person allows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { by, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { done, orderedId, stage } from '../test-stage.ts';
import { answerQuestion } from '../question/answer.ts';
import { TestDaemon, sha } from '../test-daemon.ts';
import { readOperation } from './read.ts';
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
    const repositories = [{ localPath: '/srv/repositories/example', baseBranch: 'main' }];
    const scene = await stage(t, { daemon, contract: { autoMergeLocal, repositories } });
    // Where a task began is its spawner's word, and opens nothing.
    const task = await done(scene, { baseBranch: 'release' });
    const input = { id: task.taskId, squash: false };
    const merge = requestMerge(t.engine, by(scene.supervisor), { ...input, targetBranch: branch });
    // Where it may not, a person is asked, and nothing is merged.
    const { operationId, questionId } = (await merge).result;
    expect([operationId !== null, questionId !== null]).toEqual([may, !may]);
    expect(await daemon.pullOnly('branch.merge')).toHaveLength(may ? 1 : 0);
    const own = `makima/${scene.contract.slug}`;
    await requestMerge(t.engine, by(scene.supervisor), { ...input, targetBranch: own });
    // A directory is on one machine: its branch is not sent along for others.
    const [merged] = await daemon.pullOnly('branch.merge');
    expect(merged?.targetBranch).toBe(own);
    expect(merged).not.toHaveProperty('carry');
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

it('another contract’s branch is nobody’s to ask for', async () => {
  const scene = await stage(t, { daemon, contract: { autoMergeLocal: true } });
  const { taskId: id } = await done(scene);
  for (const targetBranch of ['makima/another', 'makima/another.try']) {
    const merge = requestMerge(t.engine, by(scene.supervisor), { id, targetBranch, squash: false });
    expect((await refusal(merge)).code).toBe('FORBIDDEN');
  }
});

it('a person’s leave is for one task and one branch', async () => {
  const scene = await stage(t, { daemon });
  const { taskId: id } = await done(scene);
  const { taskId: other } = await done(scene, { name: 'other' });
  const merge = async (task: string, targetBranch: string) => {
    const input = { id: task, targetBranch, squash: false };
    return (await requestMerge(t.engine, by(scene.supervisor), input)).result;
  };
  const asked = await merge(id, 'main');
  expect(await merge(id, 'main')).toEqual(asked);
  await answerQuestion(t.engine, by(t.owner), { id: asked.questionId ?? '', response: 'Allow' });
  expect(await merge(id, 'main')).toMatchObject({ questionId: null });
  for (const [task, branch] of [
    [other, 'main'],
    [id, 'release'],
  ] as const)
    expect((await merge(task, branch)).questionId).not.toBeNull();
});

it('a person’s leave for what a supervisor goes on working on is for one merge that was made', async () => {
  const scene = await stage(t, { daemon });
  const id = scene.supervisorTaskId;
  const merge = async () => {
    const input = { id, targetBranch: 'main', squash: false };
    return (await requestMerge(t.engine, by(scene.supervisor), input)).result;
  };
  const allow = (questionId: string | null) =>
    answerQuestion(t.engine, by(t.owner), { id: questionId ?? '', response: 'Allow' });
  const finish = async (operationId: string | null, success: boolean): Promise<void> => {
    const commitSha = success ? sha('d') : null;
    const result = { message: '', conflicts: [], success, commitSha };
    await daemon.finish(operationId ?? '', { kind: 'branch.merge', ...result });
  };
  const look = (operationId: string | null) =>
    readOperation(t.engine, scene.supervisor, { id: operationId ?? '' });
  await allow((await merge()).questionId);
  const { operationId: first } = await merge();
  // Asked for again before its result was seen: the same merge.
  expect((await merge()).operationId).toBe(first);
  await finish(first, false);
  expect((await merge()).operationId).toBe(first);
  await look(first);
  // It conflicted: nothing was merged, the leave stands.
  const { operationId: second } = await merge();
  expect([first, null]).not.toContain(second);
  await finish(second, true);
  await look(second);
  for (let i = 0; i < 4; i += 1) {
    const { operationId, questionId } = await merge();
    expect(operationId).toBeNull();
    expect((await merge()).questionId).toBe(questionId);
    await allow(questionId);
    const { operationId: next } = await merge();
    await finish(next, true);
    await look(next);
  }
});

it('a person merges into a branch of their own only where they name it, whatever an agent wrote into the task', async () => {
  const scene = await stage(t, { daemon });
  const { taskId: id } = await done(scene, { targetBranch: 'main' });
  const own = (await done(scene, { targetBranch: `makima/${scene.contract.slug}.try` })).taskId;
  const plain = requestMerge(t.engine, by(t.owner), { id, squash: false });
  expect(await refusal(plain)).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { errors: [{ pointer: '/targetBranch' }] },
  });
  expect(await daemon.pullOnly('branch.merge')).toEqual([]);
  await requestMerge(t.engine, by(t.owner), { id, targetBranch: 'main', squash: false });
  await requestMerge(t.engine, by(t.owner), { id: own, squash: false });
  expect(await daemon.pullOnly('branch.merge')).toMatchObject([
    { targetBranch: 'main' },
    { targetBranch: `makima/${scene.contract.slug}.try` },
  ]);
});

it('a result is seen when its orderer has read it: a person who looks takes nothing from the agent', async () => {
  const scene = await stage(t, { daemon });
  const { taskId: id } = await done(scene);
  const input = { id, targetBranch: `makima/${scene.contract.slug}`, squash: false };
  const merge = (caller: typeof t.owner | typeof scene.supervisor) =>
    orderedId(requestMerge(t.engine, by(caller), input));
  const conflict = async (operationId: string) =>
    daemon.finish(operationId, {
      kind: 'branch.merge',
      success: false,
      message: 'conflicts',
      commitSha: null,
      conflicts: [],
    });
  const read = (caller: typeof t.owner | typeof scene.supervisor, operationId: string) =>
    readOperation(t.engine, caller, { id: operationId });
  const ordered = await merge(scene.supervisor);
  // Under way it is the same for everybody.
  expect(await merge(t.owner)).toBe(ordered);
  await conflict(ordered);
  expect((await read(t.owner, ordered)).state).toBe('done');
  // A person's own order is a new one, and the agent still hears of what it asked for, once.
  const own = await merge(t.owner);
  expect(own).not.toBe(ordered);
  await conflict(own);
  expect(await merge(scene.supervisor)).toBe(ordered);
  await read(scene.supervisor, ordered);
  await read(scene.supervisor, own);
  expect(await merge(t.owner)).toBe(own);
  await read(t.owner, own);
  const [again, anew] = [await merge(scene.supervisor), await merge(t.owner)];
  expect(again).toBe(anew);
  expect([ordered, own]).not.toContain(again);
});
