/** Commits of an agent are taken over by data, however its repository looks. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCommit, keepWorkdir } from './keep.ts';
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
  makeStore,
  makeTask,
  taskId,
} from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

const name = { task: taskId, attempt: 1 };

describe('take and keep', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
    task = await makeTask(place, store);
  });
  afterEach(() => place.drop());

  const reachable = async (): Promise<Set<string>> => {
    const { stdout } = await git(['rev-list', '--all'], { gitDir: store.dir });
    return new Set(stdout.split('\n'));
  };

  it('brings the branch over, and again after more commits', async () => {
    const first = await commitFiles(task.dir, { a: '1' }, 'One');
    expect(await takeCommits(task.workdir, name)).toEqual({
      ref: `refs/makima/tasks/${taskId}-a1`,
      headSha: first,
      previousSha: null,
      branch: task.branch,
      keptRef: null,
      refusedIds: [],
    });
    const second = await commitFiles(task.dir, { a: '2' }, 'Two');
    expect(await takeCommits(task.workdir, name)).toMatchObject({
      headSha: second,
      previousSha: first,
    });
    await rm(join(task.dir, '.git'), { recursive: true });
    expect(await fsck(store)).toBe('');
  });

  it('keeps what amending, resetting, branching, stashing and tagging left behind', async () => {
    const made: string[] = [];
    made.push(await commitFiles(task.dir, { a: '1' }, 'Amended away'));
    await asAgent(task.dir, 'commit', '--quiet', '--amend', '-m', 'Amended');
    made.push(await commitFiles(task.dir, { b: '1' }, 'Reset away'));
    await asAgent(task.dir, 'reset', '--quiet', '--hard', 'HEAD~1');
    await asAgent(task.dir, 'checkout', '--quiet', '-b', 'side');
    made.push(await commitFiles(task.dir, { c: '1' }, 'On a side branch'));
    await asAgent(task.dir, 'checkout', '--quiet', task.branch);
    await writeFile(join(task.dir, 'README.md'), 'stashed');
    await asAgent(task.dir, 'stash', '--quiet');
    made.push(await asAgent(task.dir, 'rev-parse', 'refs/stash'));
    await asAgent(task.dir, 'pack-refs', '--all');
    const head = await asAgent(task.dir, 'rev-parse', 'HEAD');

    const taken = await takeCommits(task.workdir, name);
    expect(taken).toMatchObject({ headSha: head, refusedIds: [] });
    expect(taken.keptRef).toBe(`refs/makima/kept/${taskId}-a1-loose`);
    const all = await reachable();
    for (const sha of [...made, head]) expect(all).toContain(sha);
    const kept = await resolveCommit(store, taken.keptRef ?? '');

    made.push(await commitFiles(task.dir, { d: '1' }, 'Amended later'));
    await takeCommits(task.workdir, name);
    await asAgent(task.dir, 'reset', '--quiet', '--hard', 'HEAD~1');
    await asAgent(task.dir, 'reflog', 'expire', '--expire=now', '--all');
    expect(await takeCommits(task.workdir, name)).toMatchObject({ headSha: head });
    const now = await reachable();
    for (const sha of [...made, kept]) expect(now).toContain(sha);
    expect(await takeCommits(task.workdir, name)).toMatchObject({ keptRef: null });
    const landing = await git(['for-each-ref', 'refs/makima/incoming'], { gitDir: store.dir });
    expect(landing.stdout).toBe('');
    expect(await fsck(store)).toBe('');
  });

  it('takes a detached HEAD, and nothing from an unborn one', async () => {
    await asAgent(task.dir, 'checkout', '--quiet', '--detach');
    const sha = await commitFiles(task.dir, { a: '1' }, 'Detached');
    expect(await takeCommits(task.workdir, name)).toMatchObject({ headSha: sha, branch: null });
    await asAgent(task.dir, 'checkout', '--quiet', '--orphan', 'empty');
    expect(await takeCommits(task.workdir, name)).toMatchObject({ headSha: null });
    expect(await reachable()).toContain(sha);
  });

  it('ignores hostile refs and ids that lead nowhere', async () => {
    const head = await commitFiles(task.dir, { a: '1' }, 'Good');
    const refs = join(task.dir, '.git/refs/heads');
    await writeFile(join(refs, '--upload-pack=touch x'), `${head}\n`);
    await writeFile(join(refs, 'bad;name'), `${'d'.repeat(40)}\n`);
    await symlink('/etc/passwd', join(refs, 'link'));
    await symlink('/', join(refs, 'root'));
    await writeFile(join(task.dir, '.git/packed-refs'), `junk\n${head} refs/heads/../../x\n`);
    await mkdir(join(task.dir, '.git/logs'), { recursive: true });
    await writeFile(join(task.dir, '.git/logs/HEAD'), `${'e'.repeat(40)} ${'f'.repeat(40)} x\n`);
    expect(await takeCommits(task.workdir, name)).toMatchObject({ headSha: head, keptRef: null });
    expect(await fsck(store)).toBe('');
  });

  it('refuses faulty commits without losing the good ones', async () => {
    const blob = await asAgent(task.dir, 'rev-parse', 'HEAD:README.md');
    await writeFile(
      join(place.root, 'tree'),
      Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]),
    );
    const tree = await asAgent(
      task.dir,
      'hash-object',
      '-w',
      '--literally',
      '-t',
      'tree',
      join(place.root, 'tree'),
    );
    const evil = await asAgent(task.dir, 'commit-tree', '-m', 'Evil', tree);
    await asAgent(task.dir, 'branch', 'evil', evil);
    const side = await asAgent(task.dir, 'commit-tree', '-m', 'Side', 'HEAD^{tree}');
    await asAgent(task.dir, 'branch', 'side', side);
    const head = await commitFiles(task.dir, { a: '1' }, 'Good');
    const taken = await takeCommits(task.workdir, name);
    expect(taken).toMatchObject({ headSha: head, refusedIds: [evil] });
    expect(await reachable()).toContain(side);
    await asAgent(task.dir, 'update-ref', 'HEAD', evil);
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    expect(await resolveCommit(store, taken.ref)).toBe(head);
    await writeFile(join(task.dir, 'precious'), 'p');
    const saved = await keepWorkdir(task.workdir, { ...name, baseSha: task.baseSha });
    expect(saved.commitsMissing).toMatch(/git fetch failed/);
    const shown = await git(['cat-file', 'blob', `${saved.workSha}:precious`], {
      gitDir: store.dir,
    });
    expect(shown.stdout).toBe('p');
  });

  it('refuses borrowed objects and a replaced .git', async () => {
    const gitDir = join(task.dir, '.git');
    const alternates = join(gitDir, 'objects/info/alternates');
    const own = `${store.dir}/objects\n`;
    const foreign = { code: 'GIT_FAILED', details: { reason: 'git_dir_foreign_objects' } };
    for (const text of [
      `${own}${place.repo}/.git/objects\n`,
      '../../../../repo/.git/objects',
      '"',
    ]) {
      await writeFile(alternates, text);
      await expect(takeCommits(task.workdir, name)).rejects.toMatchObject(foreign);
    }
    await rm(alternates);
    await symlink(join(place.root, 'list'), alternates);
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject(foreign);
    await rm(alternates);
    await writeFile(alternates, own);
    await writeFile(join(gitDir, 'commondir'), '../../../repo/.git\n');
    const replaced = { details: { reason: 'git_dir_replaced' } };
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject(replaced);
    await rm(join(gitDir, 'commondir'));
    await rename(join(gitDir, 'objects'), join(place.root, 'objects'));
    await symlink(join(place.root, 'objects'), join(gitDir, 'objects'));
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject(replaced);
    await rm(gitDir, { recursive: true });
    await writeFile(gitDir, `gitdir: ${place.repo}/.git\n`);
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject(replaced);
    await expect(readStatus(task.workdir)).rejects.toMatchObject(replaced);
  });

  it('fails loudly, and moves nothing, when objects are missing', async () => {
    const head = await commitFiles(task.dir, { a: 'lost' }, 'Torn');
    const blob = await asAgent(task.dir, 'rev-parse', 'HEAD:a');
    await rm(join(task.dir, '.git/objects', blob.slice(0, 2), blob.slice(2)), { force: true });
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    expect(await resolveCommit(store, head)).toBeNull();
  });

  it('works on after the agent ran git init anew', async () => {
    const first = await commitFiles(task.dir, { a: '1' }, 'One');
    await takeCommits(task.workdir, name);
    await rm(join(task.dir, '.git'), { recursive: true });
    await asAgent(task.dir, 'init', '-q', '-b', 'main');
    const second = await commitFiles(task.dir, { b: '1' }, 'Anew');
    expect(await takeCommits(task.workdir, name)).toMatchObject({ headSha: second });
    const all = await reachable();
    expect(all).toContain(first);
    expect(all).toContain(second);
  });

  it('keeps uncommitted, unmerged and late work on named refs, once', async () => {
    const options = { ...name, baseSha: task.baseSha };
    expect(await keepWorkdir(task.workdir, options)).toMatchObject({ refs: [], kept: null });
    const head = await commitFiles(task.dir, { a: '1' }, 'Unmerged');
    const unmerged = await keepWorkdir(task.workdir, options);
    expect(unmerged.kept).toEqual({ ref: `refs/makima/kept/${taskId}-a1`, sha: head });
    expect(await keepWorkdir(task.workdir, options)).toEqual(unmerged);
    await ensureBranch(store, 'makima/fix', head);
    const merged = await keepWorkdir(task.workdir, { ...options, mergedInto: ['makima/fix'] });
    // The ref of before is there still, but what it holds is in the branch.
    expect(merged).toMatchObject({ kept: null, refs: [] });
    expect(await resolveCommit(store, `refs/makima/kept/${taskId}-a1`)).toBe(head);
    await writeFile(join(task.dir, 'dirty'), 'd');
    const dirty = await keepWorkdir(task.workdir, { ...options, why: 'fenced' });
    expect(dirty.kept?.ref).toBe(`refs/makima/kept/${taskId}-a1-fenced`);
    expect(await resolveCommit(store, `${dirty.kept?.sha}`)).toBe(dirty.kept?.sha);
    expect(await keepWorkdir(task.workdir, { ...options, why: 'fenced' })).toEqual(dirty);
    const late = await keepCommit(store, head, { ...name, why: 'late' });
    expect(await keepCommit(store, head, { ...name, why: 'late' })).toEqual(late);
    const other = await keepCommit(store, task.baseSha, { ...name, why: 'late' });
    expect(other.ref).toBe(`${late.ref}-2`);
    await expect(keepCommit(store, 'a'.repeat(40), name)).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
  });

  it('keeps the files of a directory whose .git is gone', async () => {
    await writeFile(join(task.dir, 'dirty'), 'd');
    await rm(join(task.dir, '.git'), { recursive: true });
    const { kept } = await keepWorkdir(task.workdir, { ...name, baseSha: task.baseSha });
    const shown = await git(['cat-file', 'blob', `${kept?.sha}:dirty`], { gitDir: store.dir });
    expect(shown.stdout).toBe('d');
  });
});
