/** Merges without a working tree: whole or not at all, once per operation. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isHeld } from './keep.ts';
import { mergeInto, squashOf } from './merge.ts';
import type { MergeOptions } from './merge.ts';
import { taskRef } from './names.ts';
import { ensureBranch, refreshStore, resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  makePlace,
  makeStore,
  makeTask,
  taskId,
} from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

const target = 'makima/fix-it';

describe('merge', () => {
  let place: Place;
  let store: Store;
  let first: TaskPlace;
  let second: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    await commitFiles(place.repo, { 'list.txt': 'one\ntwo\nthree\n', gone: 'g\n' }, 'List');
    store = await makeStore(place);
    first = await makeTask(place, store);
    second = await makeTask(place, store, { attempt: 2 });
    await ensureBranch(store, target, first.baseSha);
  });
  afterEach(() => place.drop());

  const merge = (attempt: number, more: Partial<MergeOptions> = {}) =>
    mergeInto(store, {
      operationId: `op-${attempt}`,
      source: taskRef(taskId, attempt),
      targetBranch: target,
      how: 'merge',
      message: `Merge attempt ${attempt}`,
      ...more,
    });
  const work = async (task: TaskPlace, attempt: number, files: Record<string, string>) => {
    const sha = await commitFiles(task.dir, files, `Work ${attempt}`);
    await takeCommits(task.workdir, { task: taskId, attempt });
    return sha;
  };
  const inStore = (...args: string[]): Promise<string> =>
    asAgent(store.dir, '--git-dir=.', ...args);

  it('makes a readable merge commit and moves the branch', async () => {
    const theirs = await work(first, 1, { a: '1' });
    const result = await merge(1);
    expect(result).toMatchObject({ success: true, conflicts: [] });
    expect(await resolveCommit(store, target)).toBe(result.commitSha);
    const shown = await inStore('show', '-s', '--format=%P%n%B', target);
    expect(shown).toContain(`${first.baseSha} ${theirs}\nMerge attempt 1`);
    expect(shown).toContain('Makima-Operation: op-1');
    expect(await inStore('show', `${target}:a`)).toBe('1');
    expect(await fsck(store)).toBe('');
  });

  it('answers the same for the same operation, also after the branch moved on', async () => {
    await work(first, 1, { a: '1' });
    const result = await merge(1);
    await work(second, 2, { b: '1' });
    await merge(2);
    const tip = await resolveCommit(store, target);
    expect(await merge(1)).toEqual(result);
    expect(await resolveCommit(store, target)).toBe(tip);
    expect(await merge(1, { operationId: 'op-other' })).toMatchObject({
      success: true,
      commitSha: tip,
    });
  });

  it('squashes into one commit with one parent', async () => {
    await work(first, 1, { a: '1' });
    await work(first, 1, { b: '1' });
    const { commitSha } = await merge(1, { how: 'squash' });
    expect(await inStore('show', '-s', '--format=%P', commitSha ?? '')).toBe(first.baseSha);
    const again = await merge(1, { how: 'squash', operationId: 'op-again' });
    expect(again).toMatchObject({ success: true, commitSha });
  });

  it('knows what was squashed, whatever came after it, and by whichever way it is merged again', async () => {
    await work(first, 1, { 'list.txt': 'one\nFIRST\nthree\n' });
    const { commitSha } = await merge(1, { how: 'squash' });
    const after = await makeTask(place, store, { attempt: 3, ref: target });
    await work(after, 3, { 'list.txt': 'one\nAGAIN\nthree\n' });
    const tip = (await merge(3)).commitSha;
    // As on another machine, which has the branch and no word of how it came about.
    await inStore('update-ref', '-d', 'refs/makima/operations/op-1');
    for (const how of ['squash', 'merge'] as const) {
      const again = await merge(1, { how, operationId: `op-again-${how}` });
      expect(again).toMatchObject({ success: true, commitSha: tip });
      expect(again.message).toContain(commitSha?.slice(0, 12));
    }
    expect(await resolveCommit(store, target)).toBe(tip);
    // More of the same work is merged as usual.
    await work(first, 1, { 'more.txt': 'more' });
    const more = await merge(1, { operationId: 'op-more' });
    expect(more.success).toBe(false);
    expect(more.conflicts.map((conflict) => conflict.path)).toEqual(['list.txt']);
  });

  it('believes no message: what another work says to hold is merged and kept all the same', async () => {
    const theirs = await work(second, 2, { 'x2.txt': '2' });
    const claim = `Makima-Operation: op-0\nMakima-Source: ${theirs}`;
    await commitFiles(first.dir, { a: '1' }, `Work\n\n${claim}`);
    await takeCommits(first.workdir, { task: taskId, attempt: 1 });
    await merge(1, { message: `Look, see Makima-Source: ${theirs}\n\n${claim}` });
    const third = await makeTask(place, store, { attempt: 3 });
    await work(third, 3, { b: '1' });
    await merge(3, { how: 'squash', message: `Merge it\n\n${claim}` });
    // Nor one that shares no commit with it.
    const stranger = await makeTask(place, store, { attempt: 4 });
    await asAgent(stranger.dir, 'checkout', '--quiet', '--orphan', 'other');
    await work(stranger, 4, { c: '1' });
    await commitFiles(stranger.dir, { c: '2' }, `Work\n\n${claim}`);
    await takeCommits(stranger.workdir, { task: taskId, attempt: 4 });
    const other = (await resolveCommit(store, taskRef(taskId, 4))) ?? '';
    expect(await squashOf(store, other, theirs)).toBeNull();

    expect(await isHeld(store, theirs, [target])).toBe(false);
    expect(await merge(2)).toMatchObject({ success: true, message: 'Merged' });
    expect(await inStore('show', `${target}:x2.txt`)).toBe('2');
    expect(await isHeld(store, theirs, [target])).toBe(true);
  });

  it('lists conflicts with both sides, moves nothing, and repeats its answer', async () => {
    await work(first, 1, {
      'list.txt': 'one\nOURS\nthree\n',
      'both.txt': 'ours\n',
      gone: 'kept\n',
    });
    const before = (await merge(1)).commitSha;
    await rm(join(second.dir, 'gone'));
    await writeFile(join(second.dir, 'raw.bin'), Buffer.from([0, 1]));
    await work(second, 2, {
      'list.txt': 'one\nTHEIRS\nthree\n',
      'both.txt': 'theirs\n',
      fine: 'x',
    });
    const result = await merge(2);
    expect(result).toMatchObject({ success: false, commitSha: null });
    expect(result.message).toContain('list.txt');
    const byPath = Object.fromEntries(result.conflicts.map((entry) => [entry.path, entry]));
    expect(byPath['list.txt']).toMatchObject({ ours: 'OURS', theirs: 'THEIRS' });
    expect(byPath['list.txt']?.hunks[0]).toMatch(/^<<<<<<< [\s\S]*=======[\s\S]*>>>>>>> /);
    expect(byPath['both.txt']).toMatchObject({ ours: 'ours', theirs: 'theirs' });
    expect(byPath['gone']).toMatchObject({ ours: 'kept\n', theirs: null, hunks: [] });
    expect(await resolveCommit(store, target)).toBe(before);
    expect(await merge(2)).toEqual(result);
    expect(await fsck(store)).toBe('');
  });

  it('names conflicts of binary files and of a file with a directory', async () => {
    await writeFile(join(first.dir, 'raw.bin'), Buffer.from([0, 1]));
    await work(first, 1, { place: 'file' });
    await merge(1);
    await writeFile(join(second.dir, 'raw.bin'), Buffer.from([0, 2]));
    await work(second, 2, { 'place/inner': 'dir' });
    const { success, conflicts } = await merge(2);
    expect(success).toBe(false);
    const raw = conflicts.find((entry) => entry.path === 'raw.bin');
    expect(raw).toMatchObject({ ours: '(binary or too large)', hunks: [] });
    expect(conflicts.some((entry) => entry.path.startsWith('place'))).toBe(true);
  });

  it('says what is missing, and refuses histories that share nothing', async () => {
    await expect(merge(1)).rejects.toMatchObject({ details: { reason: 'ref_missing' } });
    await work(first, 1, { a: '1' });
    const lost = merge(1, { targetBranch: 'makima/none' });
    await expect(lost).rejects.toMatchObject({ details: { reason: 'ref_missing' } });
    await expect(merge(1, { targetBranch: '--output=x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await asAgent(second.dir, 'checkout', '--quiet', '--orphan', 'other');
    await work(second, 2, { z: '1' });
    await expect(merge(2)).rejects.toMatchObject({ details: { reason: 'unrelated_histories' } });
  });

  it('takes one after the other when many come at once, and loses none', async () => {
    const tasks = await Promise.all(
      Array.from({ length: 6 }, (_, index) => makeTask(place, store, { attempt: index + 10 })),
    );
    const done = tasks.map(async (task, index) => {
      const sha = await work(task, index + 10, { [`file-${index}`]: `${index}` });
      expect(await merge(index + 10)).toMatchObject({ success: true });
      return sha;
    });
    for (const sha of await Promise.all(done)) {
      expect(await inStore('merge-base', '--is-ancestor', sha, target)).toBe('');
    }
    expect(await fsck(store)).toBe('');
    expect(await readFile(join(place.repo, 'README.md'), 'utf8')).toBe('# Hello\n');
  });

  it('of eight that overlap merges or refuses each with both sides, and loses no commit', async () => {
    const lines = Array.from({ length: 40 }, (_, line) => `line ${line}`);
    await commitFiles(place.repo, { 'shared.txt': `${lines.join('\n')}\n` }, 'Shared');
    await refreshStore(store);
    const attempts = Array.from({ length: 8 }, (_, index) => index + 20);
    const tasks = await Promise.all(attempts.map((attempt) => makeTask(place, store, { attempt })));
    // Neighbours of a pair change the same line; pairs are far apart.
    const shas = await Promise.all(
      tasks.map((task, index) => {
        const changed = lines.with(Math.floor(index / 2) * 10, `changed by ${index}`);
        const files = { 'shared.txt': `${changed.join('\n')}\n`, [`own-${index}`]: `${index}` };
        return work(task, attempts[index] ?? 0, files);
      }),
    );
    const results = await Promise.all(attempts.map((attempt) => merge(attempt)));
    expect(results.filter(({ success }) => success)).toHaveLength(4);
    for (const [index, { success, conflicts, commitSha }] of results.entries()) {
      const task = taskRef(taskId, attempts[index] ?? 0);
      expect(await resolveCommit(store, task)).toBe(shas[index]);
      if (success) {
        expect(await inStore('merge-base', '--is-ancestor', shas[index] ?? '', target)).toBe('');
        continue;
      }
      const winner = index % 2 === 0 ? index + 1 : index - 1;
      expect(commitSha).toBeNull();
      expect(conflicts).toMatchObject([
        { path: 'shared.txt', ours: `changed by ${winner}`, theirs: `changed by ${index}` },
      ]);
      const [hunk = ''] = conflicts[0]?.hunks ?? [];
      expect(hunk).toContain(`changed by ${winner}\n=======\nchanged by ${index}`);
    }
    expect(await fsck(store)).toBe('');
    const reachable = (await inStore('rev-list', '--all')).split('\n');
    for (const sha of shas) expect(reachable).toContain(sha);
    expect(await inStore('fsck', '--unreachable', '--no-reflogs', '--no-progress')).not.toMatch(
      /unreachable commit/,
    );
  });
});
