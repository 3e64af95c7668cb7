/** Completion actions: ordered with the task's end, as far as allowed; what fails is told and harms nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import type { SpawnInput } from '@makima/contracts/entity/task';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { patchContract } from '../contract/patch.ts';
import type { Principal } from '../principal.ts';
import { TestDaemon, sha } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, done, spawnInput, stage, taskRow, type Stage } from '../test-stage.ts';
import { spawnTask } from './spawn.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 200 });
});
afterAll(() => t.close());

const path = '/srv/repositories/example';
const scene = (contract: Partial<ContractInput> = {}): Promise<Stage> =>
  stage(t, {
    daemon,
    contract: { repositories: [{ localPath: path, baseBranch: 'main' }], ...contract },
  });
const spawnBy = (stand: Stage, caller: Principal, input: Partial<SpawnInput>) =>
  spawnTask(t.engine, by(caller), spawnInput(stand.contract.id, input));
const finish = (operationId: string, result: OperationResult): Promise<void> =>
  daemon.finish(operationId, result);
const own = (stand: Stage): string => `makima/${stand.contract.slug}`;

/** Spawned by this caller, run to its end. */
async function doneBy(stand: Stage, caller: Principal, input: Partial<SpawnInput>) {
  const { result } = await spawnBy(stand, caller, input);
  await runJobs(t);
  const starts = await daemon.pullOnly('task.start');
  const start = starts.find(({ taskId }) => taskId === result.id);
  if (start === undefined) throw new Error('it found no place');
  await daemon.started(start);
  await daemon.ended(start, { summary: 'All of it.' });
  await runJobs(t);
  return start;
}

async function toldOf(stand: Stage, taskId: string): Promise<string[]> {
  const rows = await t.database.sql<{ text: string }[]>`
    select text from agent_messages where task_id = ${stand.supervisorTaskId} and source_id = ${taskId}
       and source = 'notice' order by id`;
  return rows.map(({ text }) => text);
}

describe('by itself', () => {
  it('nothing happens unless it was asked for', async () => {
    const stand = await scene();
    const task = await done(stand);
    expect((await daemon.pull()).map(({ kind }) => kind)).toEqual([]);
    expect(await taskRow(t, task.taskId)).toMatchObject({ completionAction: 'none' });
  });

  it('a branch is handed over, under its own name or the one that was asked for', async () => {
    const stand = await scene();
    const task = await done(stand, { name: 'Write tests', completionAction: 'branch' });
    const branch = `${own(stand)}.write-tests-${task.taskId.slice(-6)}-a1`;
    const [handed] = await daemon.pullOnly('branch.hand_over');
    expect(handed).toMatchObject({ taskId: task.taskId, branch, from: 'task', toPath: path });
    await finish(handed?.operationId ?? '', {
      kind: 'branch.hand_over',
      branch,
      commitSha: sha('c'),
      note: 'there',
    });
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'done' });
    expect(await toldOf(stand, task.taskId)).toEqual([]);
    const targetBranch = `${own(stand)}.named`;
    await doneBy(stand, t.owner, {
      completionAction: 'branch',
      targetBranch,
      targetRepoPath: '/srv/x',
    });
    expect(await daemon.pullOnly('branch.hand_over')).toMatchObject([
      { branch: targetBranch, toPath: '/srv/x' },
    ]);
  });

  it('a merge goes into the contract’s branch, and on to another repository where one is named', async () => {
    const stand = await scene();
    const task = await doneBy(stand, t.owner, {
      completionAction: 'merge',
      targetRepoPath: '/srv/x',
    });
    const [merge] = await daemon.pullOnly('branch.merge');
    expect(merge).toMatchObject({ taskId: task.taskId, targetBranch: own(stand), squash: false });
    const merged = { success: true, message: 'Merged', commitSha: sha('c'), conflicts: [] };
    const moved = { from: sha('a'), changed: ['a.txt'], complete: true };
    await finish(merge?.operationId ?? '', { kind: 'branch.merge', ...merged, moved });
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'merged' });
    const contractHead = { branch: own(stand), commitSha: sha('c') };
    expect(await daemon.pullOnly('branch.hand_over')).toMatchObject([
      { branch: own(stand), from: 'branch', toPath: '/srv/x', contractHead },
    ]);
    // Work of a task alone is had also where the contract's branch cannot be brought to.
    await done(stand, { completionAction: 'branch' });
    const [alone] = await daemon.pullOnly('branch.hand_over');
    expect(alone).toMatchObject({ from: 'task' });
    expect(alone).not.toHaveProperty('contractHead');
    expect(await brokenInvariants(t)).toEqual({});
  });

  it('a pull request is proposed in the task’s words', async () => {
    const stand = await scene({ allowPullRequests: true });
    const task = await done(stand, { name: 'Write tests', completionAction: 'pr' });
    expect(await daemon.pullOnly('pr.open')).toMatchObject([
      {
        taskId: task.taskId,
        from: 'task',
        branch: `${own(stand)}.write-tests-${task.taskId.slice(-6)}-a1`,
        baseBranch: 'main',
        title: 'Write tests',
        body: 'It is done.',
      },
    ]);
  });
});

describe('what does not succeed', () => {
  it('is told to the supervisor and leaves the task done', async () => {
    const stand = await scene();
    const task = await done(stand, { completionAction: 'merge' });
    const [merge] = await daemon.pullOnly('branch.merge');
    const conflicts = [{ path: 'a', ours: 'o', theirs: 't', hunks: [] }];
    const refused = { success: false, message: 'Conflicts in a', commitSha: null, conflicts };
    await finish(merge?.operationId ?? '', { kind: 'branch.merge', ...refused });
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'done' });
    expect(await toldOf(stand, task.taskId)).toEqual([expect.stringContaining('"merge" of build')]);
    const told = (await eventsOf(t, stand.contract.id)).filter(
      ({ type }) => type === 'task.action_failed',
    );
    expect(told).toMatchObject([{ taskId: task.taskId, data: { reason: 'Conflicts in a' } }]);
  });

  it('of a machine that failed, or of a repository that takes no branch, is told alike', async () => {
    const stand = await scene();
    const task = await done(stand, { completionAction: 'branch' });
    const [handed] = await daemon.pullOnly('branch.hand_over');
    await daemon.report({
      kind: 'operation.finished',
      operationId: handed?.operationId ?? '',
      ok: false,
      result: null,
      error: { code: 'GIT_FAILED', message: 'no disk', fix: 'make room' },
    });
    expect(await toldOf(stand, task.taskId)).toEqual([
      expect.stringContaining('no disk. make room'),
    ]);
    const second = await done(stand, { completionAction: 'branch' });
    const [again] = await daemon.pullOnly('branch.hand_over');
    await finish(again?.operationId ?? '', {
      kind: 'branch.hand_over',
      branch: 'x',
      commitSha: null,
      note: 'it is checked out',
    });
    expect(await toldOf(stand, second.taskId)).toEqual([
      expect.stringContaining('it is checked out'),
    ]);
  });

  it('with leave that was taken back meanwhile is not done', async () => {
    const stand = await scene({ allowPullRequests: true });
    const { result } = await spawnBy(stand, stand.supervisor, { completionAction: 'pr' });
    await runJobs(t);
    const [start] = await daemon.pullOnly('task.start');
    if (start?.taskId !== result.id) throw new Error('it found no place');
    await daemon.started(start);
    const { id } = stand.contract;
    await patchContract(t.engine, by(t.owner), { id, allowPullRequests: false });
    await daemon.ended(start);
    expect(await taskRow(t, result.id)).toMatchObject({ status: 'done' });
    expect(await daemon.pullOnly('pr.open')).toEqual([]);
    expect(await toldOf(stand, result.id)).toEqual([expect.stringContaining('permission')]);
  });

  it('holds no contract back for ever, but is waited for by its completion', async () => {
    const stand = await scene({ autoCompleteEnabled: true, phaseGuard: false });
    await done(stand, { completionAction: 'merge' });
    const [merge] = await daemon.pullOnly('branch.merge');
    await t.database
      .sql`update contracts set status = 'completing', completion_detected_at = clock() where id = ${stand.contract.id}`;
    await t.database
      .sql`update tasks set status = 'cancelled', finished_at = clock() where id = ${stand.supervisorTaskId}`;
    await t.database
      .sql`update task_attempts set state = 'cancelled', ended_at = clock() where task_id = ${stand.supervisorTaskId}`;
    await t.database.sql`insert into outbox (owner_id, queue, job_id, payload)
      values (${t.ownerId}, 'clean-contract', ${`clean-${stand.contract.id}`},
              ${t.database.sql.json({ v: 1, ownerId: t.ownerId, contractId: stand.contract.id })})`;
    await runJobs(t);
    expect(await daemon.pullOnly('branch.deliver')).toEqual([]);
    const merged = { success: true, message: 'Merged', commitSha: sha('c'), conflicts: [] };
    await finish(merge?.operationId ?? '', { kind: 'branch.merge', ...merged });
    await runJobs(t);
    expect(await daemon.pullOnly('branch.deliver')).toMatchObject([{ branch: own(stand) }]);
    expect(await contractRow(t, stand.contract.id)).toMatchObject({ status: 'completing' });
  });
});

describe('who may ask for what', () => {
  it('an agent only for what its owner allowed beforehand; a person for anything that is possible', async () => {
    const stand = await scene();
    for (const [input, code] of [
      [{ completionAction: 'pr' }, 'FORBIDDEN'],
      [{ completionAction: 'merge', targetBranch: 'main' }, 'FORBIDDEN'],
      [{ completionAction: 'merge', targetBranch: 'makima/other' }, 'FORBIDDEN'],
      [{ completionAction: 'branch', targetRepoPath: '/etc' }, 'VALIDATION_FAILED'],
    ] as const)
      expect((await refusal(spawnBy(stand, stand.supervisor, input))).code).toBe(code);
    await doneBy(stand, t.owner, { completionAction: 'merge', targetBranch: 'release' });
    expect(await daemon.pullOnly('branch.merge')).toMatchObject([{ targetBranch: 'release' }]);
    await doneBy(stand, t.owner, { completionAction: 'pr' });
    expect(await daemon.pullOnly('pr.open')).toHaveLength(1);
    const allowed = await scene({ autoMergeLocal: true });
    await done(allowed, { completionAction: 'merge', targetBranch: 'main' });
    expect(await daemon.pullOnly('branch.merge')).toMatchObject([{ targetBranch: 'main' }]);
  });

  it('nobody for what cannot be', async () => {
    const stand = await scene({ localOnly: true });
    for (const [input, code] of [
      [{ completionAction: 'pr' }, 'FORBIDDEN'],
      [{ completionAction: 'branch', targetBranch: 'main' }, 'VALIDATION_FAILED'],
      [{ completionAction: 'branch', targetBranch: own(stand) }, 'VALIDATION_FAILED'],
      [{ completionAction: 'none', targetBranch: '--force' }, 'VALIDATION_FAILED'],
      [{ completionAction: 'branch', targetRepoPath: 'relative' }, 'VALIDATION_FAILED'],
      [{ completionAction: 'none', targetRepoPath: '/srv/x' }, 'VALIDATION_FAILED'],
    ] as const)
      expect((await refusal(spawnBy(stand, t.owner, input))).code, JSON.stringify(input)).toBe(
        code,
      );
    const remote = await stage(t, {
      daemon,
      contract: { repositories: [{ repositoryUrl: 'https://git.example.com/x.git' }] },
    });
    const refused = spawnBy(remote, t.owner, { completionAction: 'merge', targetBranch: 'main' });
    expect((await refusal(refused)).code).toBe('VALIDATION_FAILED');
  });
});
