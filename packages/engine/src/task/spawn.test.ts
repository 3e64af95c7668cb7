/** Spawning: where a task begins, what it goes on from, where it works, and what is refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpawnInput } from '@makima/contracts/entity/task';
import { limits } from '@makima/domain/limits';
import { addRepository } from '../contract/repositories.ts';
import { TestDaemon, sha } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { done, running, spawned, spawnInput, stage, taskRow, type Stage } from '../test-stage.ts';
import { assignPending } from './assign.ts';
import { cancelTask } from './cancel.ts';
import { contractTree } from './get.ts';
import { retryTask } from './retry.ts';
import { spawnTask } from './spawn.ts';
import { whyTask } from './why.ts';

let t: TestEngine;
let scene: Stage;
beforeEach(async () => {
  t = await openTestEngine();
  scene = await stage(t);
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const refused = async (input: Partial<SpawnInput>) => {
  const { code, details } = await refusal(spawned(scene, input));
  const errors = details['errors'] as readonly { pointer: string }[] | undefined;
  return errors === undefined ? code : `${code} ${errors[0]?.pointer}`;
};
const started = async (id: string) => {
  await runJobs(t);
  return (await scene.daemon.pullOnly('task.start')).find(({ taskId }) => taskId === id);
};

describe('a task', () => {
  it('is what was asked for, field by field, down to the command that starts it', async () => {
    const source = await done(scene, { name: 'source' });
    const input = {
      name: 'everything',
      plan: 'Do it.',
      description: 'a line for people',
      parentTaskId: source.taskId,
      continueFromTaskId: source.taskId,
      agent: 'claude',
      model: 'm',
      priority: 7,
      needs: [source.taskId],
      targetBranch: 'release',
      completionAction: 'none',
      copyFiles: ['.env'],
      autonomousLoop: true,
    } satisfies Partial<SpawnInput>;
    const task = await spawned(scene, input);
    expect(task).toMatchObject({
      ...Object.fromEntries(
        Object.entries(input).filter(
          ([name]) => !['continueFromTaskId', 'copyFiles', 'autonomousLoop'].includes(name),
        ),
      ),
      depth: 2,
      status: 'pending',
    });
    const start = await started(task.id);
    expect(start).toMatchObject({
      plan: 'Do it.',
      agent: 'claude',
      model: 'm',
      continueFromTaskId: source.taskId,
      copyFiles: ['.env'],
      autonomousLoop: true,
      loopRoundsMax: limits.loopRoundsMax,
      supervisorWorktreeTaskId: null,
      startSha: null,
    });
    expect(start?.systemAppend).toContain('TASK COMPLETE');
    expect(start?.systemAppend).toContain('You continue the work of the task "source"');
    expect(start?.systemAppend).toContain('Its last words: "It is done."');
  });

  it('may begin at a commit, or at a branch of the repository', async () => {
    const at = await spawned(scene, { name: 'at', checkpointSha: sha('c') });
    expect(await started(at.id)).toMatchObject({ startSha: sha('c') });
    const branch = await spawned(scene, { name: 'branch', baseBranch: 'release-2' });
    const start = await started(branch.id);
    expect(start).toMatchObject({ startBranch: 'release-2', repository: { baseBranch: null } });
    expect(branch.baseBranch).toBe('release-2');
    const plain = await started((await spawned(scene, { name: 'plain' })).id);
    expect(plain).not.toHaveProperty('startBranch');
    expect(plain).not.toHaveProperty('loopRoundsMax');
  });

  it('works in the supervisor’s directory when asked, on its machine alone', async () => {
    const far = await TestDaemon.join(t, { slots: 50 });
    const task = await spawned(scene, { name: 'shares', ownWorktree: false });
    expect(await started(task.id)).toMatchObject({
      supervisorWorktreeTaskId: scene.supervisorTaskId,
    });
    expect(await far.pullOnly('task.start')).toEqual([]);
  });
});

describe('a task that continues from another', () => {
  it('begins when that has ended, however it ended, and says so meanwhile', async () => {
    const source = await running(scene, { name: 'source' });
    const task = await spawned(scene, { name: 'next', continueFromTaskId: source.taskId });
    expect(await started(task.id)).toBeUndefined();
    const why = await whyTask(t.engine, t.owner, { id: task.id });
    expect(why).toMatchObject({
      moving: false,
      summary: 'Needs task source, which is running.',
    });
    await scene.daemon.ended(source, { outcome: 'failed', error: 'no way' });
    const start = await started(task.id);
    expect(start?.continueFromTaskId).toBe(source.taskId);
    expect(start?.systemAppend).toContain('which is failed');
    expect(start?.systemAppend).toContain('Its last words: "no way"');
  });

  it('waits for the machine where that work lies', async () => {
    const contract = { repositories: [{ repositoryUrl: 'https://git.example.com/shop.git' }] };
    const near = await stage(t, { contract: contract as never, daemon: scene.daemon });
    const source = await done(near, { name: 'source' });
    const first = await running(near, { name: 'fills' });
    // With two supervisors and this one its machine is full.
    for (let n = 0; n < 5; n += 1) await running(near, { name: `fills ${n}` });
    await TestDaemon.join(t, { slots: 50 });
    const task = await spawned(near, { name: 'next', continueFromTaskId: source.taskId });
    await runJobs(t);
    expect((await taskRow(t, task.id)).status).toBe('pending');
    const why = await whyTask(t.engine, t.owner, { id: task.id });
    expect(why.summary).toMatch(/^Only daemon (?![0-9a-f]{8}-).+ can run it, and it is full/);
    await near.daemon.ended(first);
    await runJobs(t);
    const starts = await near.daemon.pullOnly('task.start');
    expect(starts.map(({ taskId }) => taskId)).toEqual([task.id]);
  });

  it('that never began finds nothing, and is told so, wherever it goes on', async () => {
    const contract = { repositories: [{ repositoryUrl: 'https://git.example.com/shop.git' }] };
    const near = await stage(t, { contract: contract as never, daemon: scene.daemon });
    const need = await running(near);
    const source = await spawned(near, { name: 'source', needs: [need.taskId] });
    const task = await spawned(near, { name: 'next', continueFromTaskId: source.id });
    await cancelTask(t.engine, by(near.supervisor), { id: source.id });
    const start = await started(task.id);
    expect(start?.continueFromTaskId).toBeNull();
    expect(start?.systemAppend).toContain('was cancelled before it began');
    const of = { taskId: task.id, attempt: 1 };
    await near.daemon.started(of);
    await near.daemon.ended(of, { outcome: 'crashed' });
    const { sql } = t.database;
    await sql`update daemons set status = 'disconnected' where id = ${near.daemon.id}`;
    const far = await TestDaemon.join(t);
    await runJobs(t);
    await sql`update tasks set resume_at = null where id = ${task.id}`;
    await assignPending(t.engine, t.system);
    const [again] = await far.pullOnly('task.start');
    expect(again).toMatchObject({ taskId: task.id, attempt: 2, continueFromTaskId: null });
    expect(again?.messages.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^\[Moved\].*It begins where your task began/),
    );
  });

  it('goes on in its repository, and in no other', async () => {
    const other = await addRepository(t.engine, by(t.owner), {
      id: scene.contract.id,
      localPath: '/srv/repositories/other',
    });
    const source = await done(scene, { name: 'source', repositoryUrl: other.result.name });
    const task = await spawned(scene, { name: 'next', continueFromTaskId: source.taskId });
    expect(task.repositoryUrl).toBe('/srv/repositories/other');
    const elsewhere = { continueFromTaskId: source.taskId, repositoryUrl: 'example' };
    expect(await refused(elsewhere)).toBe('VALIDATION_FAILED /repositoryUrl');
  });
});

describe('what could not begin as it was asked for', () => {
  it('is refused', async () => {
    const from = (await done(scene)).taskId;
    expect(await refused({ continueFromTaskId: from, checkpointSha: sha('c') })).toBe(
      'VALIDATION_FAILED /checkpointSha',
    );
    const shared = { ownWorktree: false };
    expect(await refused({ ...shared, checkpointSha: sha('c') })).toBe(
      'VALIDATION_FAILED /checkpointSha',
    );
    expect(await refused({ ...shared, continueFromTaskId: from })).toBe(
      'VALIDATION_FAILED /continueFromTaskId',
    );
    expect(await refused({ ...shared, baseBranch: 'main' })).toBe('VALIDATION_FAILED /baseBranch');
    expect(await refused({ ...shared, copyFiles: ['.env'] })).toBe('VALIDATION_FAILED /copyFiles');
    for (const baseBranch of ['', '-x', 'a..b', 'refs/makima/tasks/x-a1', 'main~1'])
      expect(await refused({ baseBranch })).toBe('VALIDATION_FAILED /baseBranch');
    await addRepository(t.engine, by(t.owner), {
      id: scene.contract.id,
      name: 'far',
      repositoryUrl: 'https://git.example.com/far.git',
    });
    expect(await refused({ repositoryUrl: 'far', copyFiles: ['.env'] })).toBe(
      'VALIDATION_FAILED /copyFiles',
    );
  });

  it('begins at no branch of another contract for an agent; a person may', async () => {
    const own = `makima/${scene.contract.slug}.try`;
    const foreign = `makima/${(await newContract(t, { start: false })).slug}`;
    expect((await spawned(scene, { baseBranch: own })).baseBranch).toBe(own);
    expect(await refused({ baseBranch: foreign })).toBe('VALIDATION_FAILED /baseBranch');
    const asked = spawnInput(scene.contract.id, { baseBranch: foreign });
    expect((await spawnTask(t.engine, by(t.owner), asked)).result.baseBranch).toBe(foreign);
  });

  it('shares no directory where nobody leads, and has no repository where there is none', async () => {
    const contract = await newContract(t, { start: false });
    const bare = await newContract(t, { start: false, repositories: [] });
    const spawnIn = (id: string, input: Partial<SpawnInput>) =>
      refusal(spawnTask(t.engine, by(t.owner), spawnInput(id, input)));
    expect(await spawnIn(contract.id, { ownWorktree: false })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ pointer: '/ownWorktree' }] },
    });
    expect((await spawnIn(bare.id, {})).code).toBe('MISSING_REPO_URL');
  });

  it('names tasks of nobody else', async () => {
    const other = await stage(t);
    const theirs = (await spawned(other)).id;
    expect(await refused({ needs: [theirs] })).toBe('NOT_FOUND');
    expect(await refused({ continueFromTaskId: theirs })).toBe('NOT_FOUND');
    expect(await refused({ parentTaskId: theirs })).toBe('NOT_FOUND');
    const input = spawnInput(scene.contract.id);
    const code = async (work: Promise<unknown>) => (await refusal(work)).code;
    expect(await code(spawnTask(t.engine, by(other.supervisor), input))).toBe('CONTRACT_NOT_FOUND');
    expect(await code(spawnTask(t.engine, by(await stranger(t)), input))).toBe(
      'CONTRACT_NOT_FOUND',
    );
    const worker = await scene.daemon.agent(await running(scene));
    expect(await code(spawnTask(t.engine, by(worker), input))).toBe('NOT_SUPERVISOR');
  });
});

describe('a need that is not met', () => {
  it('ends what needs it, all the way down, and a busy supervisor is told once', async () => {
    const need = await running(scene, { name: 'need' });
    const child = await spawned(scene, { name: 'child', needs: [need.taskId] });
    const grandchild = await spawned(scene, { name: 'grandchild', needs: [child.id] });
    await scene.daemon.ended(need, { outcome: 'failed', error: 'no way' });
    expect(await taskRow(t, child.id)).toMatchObject({
      status: 'cancelled',
      errorMessage: 'it needs need, which did not complete',
    });
    expect(await taskRow(t, grandchild.id)).toMatchObject({
      status: 'cancelled',
      errorMessage: 'it needs child, which did not complete',
    });
    const why = await whyTask(t.engine, t.owner, { id: grandchild.id });
    expect(why.summary).toContain('it needs child, which did not complete');
    await runJobs(t);
    await scene.daemon.pull();
    const turnEnded = () =>
      scene.daemon.report({
        kind: 'task.turn_ended',
        taskId: scene.supervisorTaskId,
        attempt: 1,
        outcome: 'completed',
        text: '',
        error: null,
        usage: null,
      });
    await turnEnded();
    await turnEnded();
    const told = (await scene.daemon.pullOnly('task.message')).map(({ message }) => message.text);
    const ofTasks = told.filter((text) => text.startsWith('[Task '));
    expect(ofTasks.toSorted()).toEqual([
      expect.stringContaining('[Task cancelled] child'),
      expect.stringContaining('[Task cancelled] grandchild'),
      expect.stringContaining('[Task failed] need'),
    ]);
  });

  it('that the supervisor cancels itself it need not be told of', async () => {
    const task = await spawned(scene, { name: 'mine' });
    await cancelTask(t.engine, by(scene.supervisor), { id: task.id });
    await scene.daemon.pull();
    await scene.daemon.report({
      kind: 'task.turn_ended',
      taskId: scene.supervisorTaskId,
      attempt: 1,
      outcome: 'completed',
      text: '',
      error: null,
      usage: null,
    });
    const told = (await scene.daemon.pullOnly('task.message')).map(({ message }) => message.text);
    expect(told.filter((text) => text.includes('mine'))).toEqual([]);
  });
});

describe('a tree', () => {
  it('is as deep as the limit, and no deeper', async () => {
    let parentTaskId = scene.supervisorTaskId;
    for (let depth = 1; depth <= limits.taskDepthMax; depth += 1) {
      const task = await spawned(scene, { name: `level ${depth}`, parentTaskId });
      expect(task.depth).toBe(depth);
      parentTaskId = task.id;
    }
    const error = await refusal(spawned(scene, { name: 'too deep', parentTaskId }));
    expect(error).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'taskDepthMax', max: limits.taskDepthMax, actual: limits.taskDepthMax + 1 },
    });
    const tree = await contractTree(t.engine, t.owner, { id: scene.contract.id });
    const { roots } = tree;
    expect(tree).toMatchObject({
      supervisorTaskId: scene.supervisorTaskId,
      totalCount: limits.taskDepthMax + 1,
    });
    let [node] = roots;
    for (let depth = 0; depth <= limits.taskDepthMax; depth += 1) {
      expect(node).toMatchObject({ depth });
      node = node?.children[0];
    }
    expect(node).toBeUndefined();
  });

  it.each([
    ['tasksPerContractMax', { tasksPerContractMax: 3 }, false],
    ['spawnsPerContractPerMinuteMax', { spawnsPerContractPerMinuteMax: 2 }, true],
    ['needsPerTaskMax', { needsPerTaskMax: 0 }, false],
    ['planMaxBytes', { planMaxBytes: 3 }, false],
  ] as const)('keeps to %s', async (limit, over, retryable) => {
    const other = await openTestEngine({ limits: over });
    const play = await stage(other);
    const spawns = async () => {
      if (limit === 'planMaxBytes') return spawned(play, { plan: 'ööö' });
      const first = await spawned(play, { plan: 'p', name: 'first' });
      await spawned(play, {
        plan: 'p',
        ...(limit === 'needsPerTaskMax' ? { needs: [first.id] } : {}),
      });
      return spawned(play, { plan: 'p' });
    };
    const error = await refusal(spawns());
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', retryable, details: { limit } });
    const names = (await eventsOf(other, play.contract.id)).map(({ data }) => data['name']);
    expect(names.length).toBeGreaterThan(0);
    await other.close();
  });
});

describe('another attempt', () => {
  it('is nothing for a task that is over', async () => {
    for (const outcome of ['done', 'failed'] as const) {
      const task = await running(scene, { name: outcome });
      await scene.daemon.ended(task, { outcome, error: outcome === 'failed' ? 'no' : null });
      const error = await refusal(retryTask(t.engine, by(scene.supervisor), { id: task.taskId }));
      expect(error).toMatchObject({ code: 'INVALID_TRANSITION', details: { status: outcome } });
    }
  });
});
