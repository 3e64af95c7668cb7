/** How a merge tells what it touched. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedPaths } from './changed-paths.ts';
import { mergeInto } from './merge.ts';
import { taskRef } from './names.ts';
import { ensureBranch } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import { asAgent, commitFiles, makePlace, makeStore, makeTask, taskId } from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

const target = 'makima/fix-it';

describe('a move of a branch', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    await commitFiles(place.repo, { 'keep.txt': 'k\n', gone: 'g\n', 'old name': 'o\n' }, 'Files');
    store = await makeStore(place);
    task = await makeTask(place, store);
    await ensureBranch(store, target, task.baseSha);
  });
  afterEach(() => place.drop());

  const merge = (operationId: string, watch?: readonly string[]) =>
    mergeInto(store, {
      operationId,
      source: taskRef(taskId, 1),
      targetBranch: target,
      how: 'merge',
      message: 'Merge',
      ...(watch === undefined ? {} : { watch }),
    });
  const work = async (files: Record<string, string>): Promise<void> => {
    await commitFiles(task.dir, files, 'Work');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
  };

  it('tells from where, and every file that is different: added, changed, removed, renamed', async () => {
    await asAgent(task.dir, 'rm', '--quiet', 'gone');
    await asAgent(task.dir, 'mv', 'old name', 'new "name"\n');
    await work({ 'docs/PLAN.md': 'p\n', 'README.md': 'changed\n', 'ü.txt': 'u' });
    const { moved } = await merge('op-1');
    expect(moved).toMatchObject({ from: task.baseSha, complete: true });
    expect(moved?.changed.toSorted()).toEqual(
      ['README.md', 'docs/PLAN.md', 'gone', 'new "name"\n', 'old name', 'ü.txt'].toSorted(),
    );
  });

  it('is told again with the same operation, and not at all when there was none', async () => {
    await work({ a: '1' });
    const first = await merge('op-1');
    expect(await merge('op-1')).toEqual(first);
    expect(await merge('op-2')).not.toHaveProperty('moved');
    await commitFiles(place.repo, { a: 'theirs' }, 'Other');
    const other = await makeTask(place, store, { attempt: 2 });
    await commitFiles(other.dir, { a: 'conflict' }, 'Work');
    await takeCommits(other.workdir, { task: taskId, attempt: 2 });
    const source = taskRef(taskId, 2);
    const conflict = await mergeInto(store, {
      operationId: 'op-3',
      source,
      targetBranch: target,
      how: 'merge',
      message: 'Merge',
    });
    expect(conflict).toMatchObject({ success: false });
    expect(conflict).not.toHaveProperty('moved');
  });

  it('that does not fit says so, and tells of watched files first', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`many/file-${i}`, 'x']));
    await work({ ...many, 'z/PLAN.md': 'p', '*.md': 'literal' });
    const { commitSha } = await merge('op-1');
    const changes = (watch: readonly string[], maxBytes?: number) =>
      changedPaths(store, task.baseSha, commitSha ?? '', watch, maxBytes);
    const all = await changes([]);
    expect([all.changed.length, all.complete]).toEqual([42, true]);
    const few = await changes(['z/PLAN.md', 'keep.txt'], 100);
    expect(few.complete).toBe(false);
    expect(few.changed[0]).toBe('z/PLAN.md');
    expect(few.changed).not.toContain('keep.txt');
    expect(few.changed.length).toBeLessThan(10);
    expect((await changes(['*.md'], 0)).changed).toEqual(['*.md']);
  });

  it('is not led astray by what is watched for', async () => {
    await work({ a: '1' });
    const { moved } = await merge('op-1', ['../../etc/passwd', '', '-x', ':(top)a', '/a']);
    expect(moved).toEqual({ from: task.baseSha, changed: ['a'], complete: true });
  });
});
