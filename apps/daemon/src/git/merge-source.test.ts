/** Merges into a person's own branch: forward or not at all, their files only where they are clean. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeIntoSource, type MergeSourceOptions } from './merge-source.ts';
import { taskRef } from './names.ts';
import { resolveCommit, type Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  makePlace,
  makeStore,
  makeTask,
  taskId,
  type Place,
  type TaskPlace,
} from './test-repository.ts';

describe('a merge into the person’s branch', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  let work: string;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
    task = await makeTask(place, store);
    work = await commitFiles(task.dir, { 'made.txt': 'made\n' }, 'Work');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
  });
  afterEach(() => place.drop());

  const merge = (more: Partial<MergeSourceOptions> = {}) =>
    mergeIntoSource(store, {
      operationId: 'op-1',
      source: taskRef(taskId, 1),
      targetBranch: 'main',
      how: 'merge',
      message: 'Merge it',
      allowed: 'any',
      ...more,
    });
  const theirs = (...args: string[]): Promise<string> => asAgent(place.repo, ...args);
  const landed = (): Promise<string> =>
    asAgent(store.dir, '--git-dir=.', 'for-each-ref', 'refs/makima/landing');

  it('moves branch and clean files forward, and answers the same again', async () => {
    const result = await merge();
    expect(result).toMatchObject({ success: true, conflicts: [] });
    expect(await theirs('rev-parse', 'main')).toBe(result.commitSha);
    expect(await theirs('rev-parse', 'main^2')).toBe(work);
    expect(await readFile(join(place.repo, 'made.txt'), 'utf8')).toBe('made\n');
    expect(await theirs('status', '--porcelain')).toBe('');
    expect(await merge()).toEqual(result);
    expect(await merge({ operationId: 'op-2' })).toMatchObject({
      success: true,
      commitSha: result.commitSha,
    });
    expect(await landed()).toBe('');
    expect(await fsck(store)).toBe('');
  });

  it('merges on top of what they committed since, and squashes once', async () => {
    const own = await commitFiles(place.repo, { 'own.txt': 'own\n' }, 'Their own');
    const { commitSha } = await merge({ how: 'squash' });
    expect(await theirs('rev-parse', 'main^')).toBe(own);
    await commitFiles(place.repo, { 'made.txt': 'changed\n' }, 'Changed since');
    const tip = await theirs('rev-parse', 'main');
    expect(await merge({ how: 'squash', operationId: 'op-2' })).toMatchObject({
      success: true,
      commitSha: tip,
      message: expect.stringContaining(commitSha?.slice(0, 12) ?? ''),
    });
  });

  it('leaves a dirty checkout and its branch alone, with the reason', async () => {
    await writeFile(join(place.repo, 'README.md'), 'half a thought\n');
    const before = await theirs('rev-parse', 'main');
    const result = await merge();
    expect(result).toMatchObject({ success: false, commitSha: null, conflicts: [] });
    expect(result.message).not.toBe('');
    expect(await theirs('rev-parse', 'main')).toBe(before);
    expect(await readFile(join(place.repo, 'README.md'), 'utf8')).toBe('half a thought\n');
    expect(await resolveCommit(store, 'refs/remotes/origin/main')).toBe(before);
    expect(await landed()).toBe('');
    expect(await resolveCommit(store, taskRef(taskId, 1))).toBe(work);
  });

  it('answers conflicts with both sides and moves nothing', async () => {
    await commitFiles(place.repo, { 'made.txt': 'theirs\n' }, 'The same file');
    const before = await theirs('rev-parse', 'main');
    const { success, conflicts } = await merge();
    expect(success).toBe(false);
    expect(conflicts).toMatchObject([{ path: 'made.txt', ours: 'theirs', theirs: 'made' }]);
    expect(await theirs('rev-parse', 'main')).toBe(before);
  });

  it('moves no branch that is not there, not allowed, or not named like one', async () => {
    await expect(merge({ targetBranch: 'none' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(merge({ targetBranch: '--output=x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await theirs('branch', 'release');
    await expect(merge({ targetBranch: 'release', allowed: 'default' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const moved = await merge({ targetBranch: 'release' });
    expect(await theirs('rev-parse', 'release')).toBe(moved.commitSha);
    expect(await merge({ allowed: 'default', operationId: 'op-2' })).toMatchObject({
      success: true,
    });
  });

  it('goes on after a crash between their branch and the record', async () => {
    const { commitSha } = await merge();
    await asAgent(store.dir, '--git-dir=.', 'update-ref', '-d', 'refs/makima/operations/op-1');
    expect(await merge()).toMatchObject({ success: true, commitSha });
    expect(await theirs('rev-list', '--count', '--merges', 'main')).toBe('1');
  });
});
