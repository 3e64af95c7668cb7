/** A rewind loses nothing: what was there is kept on a ref. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import { diffWorkdir } from './diff.ts';
import { keepWorkdir } from './keep.ts';
import { mergeInto } from './merge.ts';
import { checkpointRef, taskRef } from './names.ts';
import { kindOf } from './plain-file.ts';
import { rewindWorkdir } from './rewind.ts';
import type { RewindOptions } from './rewind.ts';
import { git } from './run.ts';
import { readStatus } from './shadow.ts';
import { ensureBranch, resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  makePlace,
  makeRepository,
  makeStore,
  makeTask,
} from './test-repository.ts';
import { taskId, writeFiles } from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

const name = { task: taskId, attempt: 1 };

describe('rewind', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    await commitFiles(place.repo, { '.gitignore': 'cache/\n' }, 'Ignore');
    store = await makeStore(place);
    task = await makeTask(place, store);
  });
  afterEach(() => place.drop());

  const checkpoint = (number: number) =>
    makeCheckpoint(task.workdir, { ...name, number, message: '', baseSha: task.baseSha });
  const rewind = (more: Partial<RewindOptions> = {}) =>
    rewindWorkdir(task.workdir, {
      ...name,
      baseSha: task.baseSha,
      to: checkpointRef(taskId, 1),
      preserve: 'stash',
      ...more,
    });
  const blob = (ref: string, path: string): Promise<string> =>
    asAgent(store.dir, '--git-dir=.', 'show', `${ref}:${path}`);

  it('goes back in place, keeps what was there and leaves ignored files', async () => {
    await writeFiles(task.dir, { 'a.txt': 'one', 'cache/x': 'slow to build' });
    const made = await checkpoint(1);
    await commitFiles(task.dir, { 'a.txt': 'two', 'b.txt': 'b' }, 'Later');
    const later = await asAgent(task.dir, 'rev-parse', 'HEAD');
    await writeFiles(task.dir, { 'README.md': 'staged', 'new/c.txt': 'c' });
    await asAgent(task.dir, 'add', 'README.md');
    await writeFile(join(task.dir, '.git/index.lock'), '');

    const result = await rewind();
    const reference = `refs/makima/kept/${taskId}-a1-rewound`;
    expect(result).toEqual({
      headSha: made.commitSha,
      preserved: { type: 'stash', reference },
      keptRefs: [reference],
    });
    expect(await asAgent(task.dir, 'status', '--porcelain', '-b')).toBe(`## ${task.branch}`);
    expect(await asAgent(task.dir, 'rev-parse', 'HEAD')).toBe(made.commitSha);
    expect(await readFile(join(task.dir, 'a.txt'), 'utf8')).toBe('one');
    expect(await readFile(join(task.dir, 'cache/x'), 'utf8')).toBe('slow to build');
    expect(await kindOf(join(task.dir, 'new'))).toBe('missing');
    expect(await blob(reference, 'new/c.txt')).toBe('c');
    expect(await blob(reference, 'README.md')).toBe('staged');
    const history = await git(['rev-list', reference], { gitDir: store.dir });
    expect(history.stdout).toContain(later);
    expect((await readStatus(task.workdir)).dirty).toEqual([]);
    await commitFiles(task.dir, { d: 'd' }, 'The agent goes on');
    await takeCommits(task.workdir, name);
    expect(await fsck(store)).toBe('');
  });

  it('is the same when done twice, and forward again', async () => {
    await writeFile(join(task.dir, 'a.txt'), 'one');
    const first = await checkpoint(1);
    await writeFile(join(task.dir, 'a.txt'), 'two');
    await checkpoint(2);
    expect((await rewind({ preserve: 'discard' })).preserved).toBeNull();
    expect(await rewind()).toMatchObject({ headSha: first.commitSha });
    await rewind({ to: checkpointRef(taskId, 2) });
    expect(await readFile(join(task.dir, 'a.txt'), 'utf8')).toBe('two');
  });

  it('preserves under a branch name, and only under a free one', async () => {
    await checkpoint(1);
    await writeFile(join(task.dir, 'a.txt'), 'precious');
    const options = { preserve: 'create_branch', branchName: 'makima/kept-by-name' } as const;
    expect(await rewind(options)).toMatchObject({
      preserved: { type: 'branch', reference: options.branchName },
    });
    expect(await blob(options.branchName, 'a.txt')).toBe('precious');
    await expect(rewind(options)).rejects.toMatchObject({ details: { reason: 'branch_exists' } });
    const bad = { preserve: 'create_branch', branchName: '-x' } as const;
    await expect(rewind(bad)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(rewind({ preserve: 'create_branch' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(rewind({ to: 'a'.repeat(40) })).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
  });

  it('keeps even what is discarded', async () => {
    await checkpoint(1);
    await writeFile(join(task.dir, 'a.txt'), 'precious');
    const { preserved, keptRefs } = await rewind({ preserve: 'discard' });
    expect(preserved).toBeNull();
    expect(await blob(keptRefs[0] ?? '', 'a.txt')).toBe('precious');
  });

  it('overwrites nothing that it could not save', async () => {
    await writeFile(join(task.dir, 'big'), 'small');
    await checkpoint(1);
    await rm(join(task.dir, 'big'));
    execFileSync('mkfifo', [join(task.dir, 'big')]);
    const result = await rewind().catch((error: unknown) => error);
    expect(result).toMatchObject({ details: { reason: 'dirty' } });
  });

  it('writes through no link that the agent put into its .git', async () => {
    await checkpoint(1);
    const outside = join(place.root, 'outside');
    await writeFiles(outside, { index: 'mine' });
    await rm(join(task.dir, '.git/index'));
    await symlink(join(outside, 'index'), join(task.dir, '.git/index'));
    await symlink(outside, join(task.dir, '.git/makima-write'));
    await rewind();
    expect(await readFile(join(outside, 'index'), 'utf8')).toBe('mine');
    await rm(join(task.dir, '.git/refs/heads'), { recursive: true });
    await symlink(outside, join(task.dir, '.git/refs/heads'));
    await expect(rewind()).rejects.toMatchObject({ details: { reason: 'git_dir_replaced' } });
  });

  it('gets along with checkpoints, merges, diffs and nested repositories at the same time', async () => {
    await ensureBranch(store, 'makima/fix', task.baseSha);
    const made = [await commitFiles(task.dir, { 'a.txt': '1' }, 'One')];
    await checkpoint(1);
    await takeCommits(task.workdir, name);
    await makeRepository(join(task.dir, 'sub'), { n: '1' });
    made.push(await commitFiles(task.dir, { 'a.txt': '2' }, 'Two'));
    const merge = (number: number) =>
      mergeInto(store, {
        operationId: `op-${number}`,
        source: taskRef(taskId, 1),
        targetBranch: 'makima/fix',
        how: 'merge',
        message: '',
      });
    const work = [2, 3].flatMap((number) => [
      checkpoint(number),
      merge(number),
      diffWorkdir(task.workdir, { ...name, baseSha: task.baseSha }),
      keepWorkdir(task.workdir, { ...name, baseSha: task.baseSha }),
      takeCommits(task.workdir, name),
    ]);
    const settled = await Promise.allSettled([...work, rewind()]);
    expect(settled.filter((one) => one.status === 'rejected')).toEqual([]);
    const { stdout } = await git(['rev-list', '--all'], { gitDir: store.dir });
    expect(made.filter((sha) => !stdout.includes(sha))).toEqual([]);
    for (const number of [2, 3]) {
      expect(await resolveCommit(store, checkpointRef(taskId, number))).not.toBeNull();
    }
    expect(await fsck(store)).toBe('');
  });
});
