/** Delivery brings a branch into a person's repository and leaves their checkout alone. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliverBranch } from './deliver.ts';
import type { DeliverOptions } from './deliver.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import { ensureBranch, refreshStore } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import { asAgent, commitFiles, makePlace, makeStore, makeTask, taskId } from './test-repository.ts';
import type { Place } from './test-repository.ts';

const branch = 'makima/fix-it';

describe('deliver', () => {
  let place: Place;
  let store: Store;
  let sha: string;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
    const task = await makeTask(place, store);
    sha = await commitFiles(task.dir, { 'new.txt': 'n\n', 'README.md': '# New\n' }, 'Work');
    await asAgent(task.dir, 'rm', '-q', 'src/one.ts');
    sha = await commitFiles(task.dir, {}, 'More');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
    await ensureBranch(store, branch, sha);
  });
  afterEach(() => place.drop());

  const deliver = (more: Partial<DeliverOptions> = {}) =>
    deliverBranch(store, { repositoryPath: place.repo, branch, ...more });
  const theirs = (...args: string[]): Promise<string> => asAgent(place.repo, ...args);
  const base = { fastForward: 'main' };

  it('puts the branch into the repository and touches nothing else', async () => {
    const status = await theirs('status', '--porcelain', '-b');
    expect(await deliver()).toMatchObject({ commitSha: sha, baseMoved: false, reason: null });
    expect(await theirs('rev-parse', branch)).toBe(sha);
    expect(await theirs('status', '--porcelain', '-b')).toBe(status);
    expect(await kindOf(join(place.repo, '.git/FETCH_HEAD'))).toBe('missing');
    expect(await deliver()).toMatchObject({ commitSha: sha, reason: null });
    expect(await theirs('fsck', '--no-progress')).toBe('');
    expect((await refreshStore(store)).branches.get(branch)).toBe(sha);
  });

  it('moves the base branch and its clean checkout', async () => {
    await writeFile(join(place.repo, 'untracked.txt'), 'mine');
    expect(await deliver(base)).toMatchObject({ baseMoved: true, reason: null });
    expect(await theirs('rev-parse', 'main')).toBe(sha);
    expect(await theirs('status', '--porcelain', '-b')).toBe('## main\n?? untracked.txt');
    expect(await readFile(join(place.repo, 'new.txt'), 'utf8')).toBe('n\n');
    expect(await kindOf(join(place.repo, 'src/one.ts'))).toBe('missing');
    expect(await theirs('reflog', '-1', '--format=%gs')).toBe('makima: delivered');
  });

  it('moves a base branch that is not checked out, also one of a linked worktree that is', async () => {
    await theirs('checkout', '--quiet', '-b', 'mine');
    expect(await deliver(base)).toMatchObject({ baseMoved: true });
    expect(await theirs('rev-parse', 'main')).toBe(sha);
    expect(await readFile(join(place.repo, 'README.md'), 'utf8')).toBe('# Hello\n');
    await theirs('branch', 'other', 'main~2');
    const linked = join(place.root, 'linked');
    await theirs('worktree', 'add', '--quiet', linked, 'other');
    expect(await deliver({ fastForward: 'other' })).toMatchObject({ baseMoved: true });
    expect(await asAgent(linked, 'status', '--porcelain', '-b')).toBe('## other');
  });

  it('leaves a checkout with changes alone and says why', async () => {
    const before = await theirs('rev-parse', 'main');
    await writeFile(join(place.repo, 'README.md'), 'mine');
    expect(await deliver(base)).toMatchObject({
      commitSha: sha,
      baseMoved: false,
      reason: 'dirty',
    });
    await theirs('add', 'README.md');
    expect(await deliver(base)).toMatchObject({ reason: 'dirty' });
    await theirs('reset', '--quiet', '--hard');
    await writeFile(join(place.repo, 'new.txt'), 'in the way');
    expect(await deliver(base)).toMatchObject({ reason: 'dirty' });
    expect(await readFile(join(place.repo, 'new.txt'), 'utf8')).toBe('in the way');
    expect(await theirs('rev-parse', 'main')).toBe(before);
    expect(await readFile(join(place.repo, 'README.md'), 'utf8')).toBe('# Hello\n');
  });

  it('leaves a busy, sparse, filtered or hidden-bit checkout to its owner', async () => {
    await writeFile(join(place.repo, '.git/index.lock'), '');
    expect(await deliver(base)).toMatchObject({ commitSha: sha, reason: 'busy' });
    await rename(join(place.repo, '.git/index.lock'), join(place.root, 'lock'));
    await mkdir(join(place.repo, '.git/info'), { recursive: true });
    await writeFile(join(place.repo, '.git/info/sparse-checkout'), '/*\n');
    expect(await deliver(base)).toMatchObject({ reason: 'checked_out' });
    await rename(join(place.repo, '.git/info/sparse-checkout'), join(place.root, 'sparse'));
    await theirs('update-index', '--assume-unchanged', 'README.md');
    expect(await deliver(base)).toMatchObject({ reason: 'dirty' });
    await theirs('update-index', '--no-assume-unchanged', 'README.md');
    await theirs('update-index', '--split-index');
    expect(await deliver(base)).toMatchObject({ reason: 'checked_out' });
    await theirs('update-index', '--no-split-index');
    expect(await deliver(base)).toMatchObject({ baseMoved: true });
  });

  it('leaves a repository with filters to its owner', async () => {
    await commitFiles(place.repo, { 'sub/.gitattributes': '*.bin filter=lfs\n' }, 'LFS');
    await refreshStore(store);
    const task = await makeTask(place, store, { attempt: 2 });
    await commitFiles(task.dir, { 'x.txt': '1' }, 'Work');
    const taken = await takeCommits(task.workdir, { task: taskId, attempt: 2 });
    await ensureBranch(store, 'makima/lfs', taken.headSha ?? '');
    const result = await deliver({ branch: 'makima/lfs', ...base });
    expect(result).toMatchObject({ commitSha: taken.headSha, reason: 'checked_out' });
  });

  it('never moves a branch back, away from own commits, or under a checkout', async () => {
    await deliver();
    await theirs('checkout', '--quiet', branch);
    const own = await commitFiles(place.repo, { own: '1' }, 'Own');
    expect(await deliver()).toMatchObject({ commitSha: null, reason: 'diverged' });
    expect(await theirs('rev-parse', branch)).toBe(own);
    await theirs('reset', '--quiet', '--hard', 'main');
    expect(await deliver()).toMatchObject({ commitSha: null, reason: 'checked_out' });
    await theirs('checkout', '--quiet', 'main');
    await commitFiles(place.repo, { 'README.md': 'own' }, 'Own');
    expect(await deliver(base)).toMatchObject({
      commitSha: sha,
      baseMoved: false,
      reason: 'diverged',
    });
    expect(await deliver({ fastForward: 'none' })).toMatchObject({ reason: 'ref_missing' });
  });

  it('says when the repository or the branch is not there', async () => {
    await expect(deliver({ branch: 'makima/none' })).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
    await expect(deliver({ repositoryPath: join(place.root, 'no') })).rejects.toMatchObject({
      details: { reason: 'source_missing' },
    });
    await mkdir(join(place.root, 'plain'));
    await expect(deliver({ repositoryPath: join(place.root, 'plain') })).rejects.toMatchObject({
      details: { reason: 'not_a_repository' },
    });
  });

  it('goes to the store that the path really names, whatever their configuration rewrites', async () => {
    const decoy = join(place.root, 'decoy');
    await git(['init', '--quiet', '--bare', '--template=', '--', decoy]);
    await theirs('config', `url.${decoy}.insteadOf`, store.dir);
    await deliver().catch(() => undefined);
    const at = await theirs('rev-parse', '--verify', '--quiet', branch).catch(() => sha);
    expect(at).toBe(sha);
  });
});
