/** A task's working directory: made, made again, rebuilt, removed. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import { kindOf } from './plain-file.ts';
import { readStatus } from './shadow.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  identity,
  makePlace,
  makeStore,
  makeTask,
} from './test-repository.ts';
import { taskId, writeFiles } from './test-repository.ts';
import type { Place } from './test-repository.ts';
import { prepareWorkdir, removeWorkdir } from './workdir.ts';

describe('workdir', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
  });
  afterEach(() => place.drop());

  const prepare = (dir: string, more: Partial<Parameters<typeof prepareWorkdir>[0]> = {}) =>
    prepareWorkdir({
      store,
      dir,
      branch: 'makima/fix/x-a1',
      start: { kind: 'commit', ref: 'main' },
      identity,
      ...more,
    });

  it('is a repository of its own on its branch, with borrowed objects and an identity', async () => {
    const task = await makeTask(place, store);
    expect(task).toMatchObject({ created: true, startSha: task.baseSha });
    expect(await asAgent(task.dir, 'status', '--porcelain=v1', '-b')).toBe(`## ${task.branch}`);
    expect(await asAgent(task.dir, 'config', 'user.name')).toBe(identity.name);
    expect(await asAgent(task.dir, 'remote')).toBe('');
    expect(await asAgent(task.dir, 'count-objects')).toMatch(/^0 objects/);
    expect(await readFile(join(task.dir, 'README.md'), 'utf8')).toBe('# Hello\n');
    expect(await asAgent(task.dir, 'log', '--format=%s')).toBe('First');
  });

  it('answers what is there when called again, whatever the agent did', async () => {
    const task = await makeTask(place, store);
    await commitFiles(task.dir, { 'new.txt': '1' }, 'Work');
    await writeFile(join(task.dir, 'dirty.txt'), 'x');
    await writeFile(join(task.dir, '.git/index.lock'), '');
    const again = await makeTask(place, store);
    expect(again).toMatchObject({ created: false, branch: task.branch, startSha: task.baseSha });
    expect(await readFile(join(task.dir, 'dirty.txt'), 'utf8')).toBe('x');
    await commitFiles(task.dir, {}, 'The lock of the dead is gone');
  });

  it('builds anew after a crash in the middle of building', async () => {
    const dir = join(place.root, 'work/half');
    await mkdir(`${dir}.partial/.git`, { recursive: true });
    await writeFile(join(`${dir}.partial`, 'junk'), 'x');
    expect((await prepare(dir)).created).toBe(true);
    expect(await kindOf(join(dir, 'junk'))).toBe('missing');
  });

  it('builds anew when the directory vanished', async () => {
    const task = await makeTask(place, store);
    await rm(task.dir, { recursive: true });
    expect((await makeTask(place, store)).created).toBe(true);
  });

  it('starts from a checkpoint with the files uncommitted, as they were', async () => {
    const task = await makeTask(place, store);
    const head = await commitFiles(task.dir, { 'new.txt': '1' }, 'Work');
    await writeFiles(task.dir, { 'README.md': 'changed\n', 'fresh.txt': 'f' });
    const made = await makeCheckpoint(task.workdir, {
      task: taskId,
      attempt: 1,
      number: 1,
      message: 'Half way',
      baseSha: task.baseSha,
    });
    expect(made.parentSha).toBe(head);
    const dir = join(place.root, 'work/restored');
    const start = { kind: 'checkpoint', sha: made.commitSha } as const;
    const restored = await prepare(dir, { start });
    expect(restored.startSha).toBe(head);
    expect(await asAgent(dir, 'status', '--porcelain')).toBe('M README.md\n?? fresh.txt');
    const clean = join(place.root, 'work/clean');
    await prepare(clean, { start: { kind: 'commit', ref: made.commitSha } });
    expect(await asAgent(clean, 'status', '--porcelain')).toBe('');
    expect(await readFile(join(clean, 'fresh.txt'), 'utf8')).toBe('f');
  });

  it('starts from a patch and its base on another machine', async () => {
    const task = await makeTask(place, store);
    await commitFiles(task.dir, { 'new.txt': '1' }, 'Work');
    await asAgent(task.dir, 'rm', '-q', 'src/one.ts');
    await writeFile(join(task.dir, 'binary.bin'), Buffer.from([0, 1, 2, 255]));
    await symlink('README.md', join(task.dir, 'link'));
    const made = await makeCheckpoint(task.workdir, {
      task: taskId,
      attempt: 1,
      number: 1,
      message: '',
      baseSha: task.baseSha,
    });
    const other = { ...place, home: join(place.root, 'other-home') };
    const dir = join(place.root, 'work/elsewhere');
    const start = {
      kind: 'patch',
      baseSha: made.baseSha,
      patch: made.patch ?? Buffer.alloc(0),
    } as const;
    const restored = await prepare(dir, { store: await makeStore(other), start });
    expect(restored.startSha).toBe(task.baseSha);
    expect(await readFile(join(dir, 'binary.bin'))).toEqual(Buffer.from([0, 1, 2, 255]));
    expect(await readlink(join(dir, 'link'))).toBe('README.md');
    expect(await kindOf(join(dir, 'src/one.ts'))).toBe('missing');
    expect((await readStatus(restored.workdir)).dirty.map((change) => change.path).sort()).toEqual([
      'binary.bin',
      'link',
      'new.txt',
      'src/one.ts',
    ]);
  });

  it('refuses a patch that climbs out, reaches into .git, or is damaged', async () => {
    const { gzipSync } = await import('node:zlib');
    const baseSha = (await resolveCommit(store, 'main')) ?? '';
    const file = (path: string): string =>
      `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    const through =
      'diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n' +
      `+${place.root}\n\\ No newline at end of file\n${file('out/evil')}`;
    const texts = [file('../evil'), file('.git/hooks/post-checkout'), through, 'no patch at all'];
    const patches = [...texts.map((text) => gzipSync(text)), Buffer.from('not gzip')];
    for (const [index, patch] of patches.entries()) {
      const dir = join(place.root, `work/p${index}`);
      const start = { kind: 'patch', baseSha, patch } as const;
      await expect(prepare(dir, { start })).rejects.toMatchObject({
        details: { reason: 'patch_refused' },
      });
      expect(await kindOf(dir)).toBe('missing');
    }
    expect(await kindOf(join(place.root, 'evil'))).toBe('missing');
    expect(await kindOf(join(place.root, 'work/evil'))).toBe('missing');
  });

  it('copies the files that were asked for, and hides them from commits and checkpoints', async () => {
    await writeFiles(place.repo, { '.env': 'SECRET=1\n', 'conf/local.json': '{}' });
    await symlink('/etc/passwd', join(place.repo, 'passwd'));
    execFileSync('mkfifo', [join(place.repo, 'pipe')]);
    const paths = [
      '.env',
      'conf/local.json',
      'passwd',
      'pipe',
      '../x',
      '/etc/passwd',
      '.git/config',
    ];
    const copy = { from: place.repo, paths: [...paths, 'none', 'README.md', 'src'] };
    const { workdir, copied } = await prepare(join(place.root, 'work/copy'), { copy });
    expect(copied.copied).toEqual(['.env', 'conf/local.json']);
    expect(Object.fromEntries(copied.notCopied.map((entry) => [entry.path, entry.reason]))).toEqual(
      {
        passwd: 'path_outside_worktree',
        pipe: 'not_a_file',
        '../x': 'path_outside_worktree',
        '/etc/passwd': 'path_outside_worktree',
        '.git/config': 'denied',
        none: 'missing',
        'README.md': 'target_exists',
        src: 'not_a_file',
      },
    );
    expect(await readFile(join(workdir.dir, '.env'), 'utf8')).toBe('SECRET=1\n');
    expect(await asAgent(workdir.dir, 'status', '--porcelain')).toBe('');
    expect((await readStatus(workdir)).dirty).toEqual([]);
  });

  it('does not write a copied file through a link that the checkout brought', async () => {
    await symlink(join(place.root, 'outside'), join(place.repo, 'conf'));
    await mkdir(join(place.root, 'outside'));
    await commitFiles(place.repo, {}, 'A link');
    const other = { ...place, home: join(place.root, 'home2') };
    const from = join(place.root, 'from');
    await writeFiles(from, { 'conf/a': '1' });
    const { copied } = await prepare(join(place.root, 'work/link'), {
      store: await makeStore(other),
      copy: { from, paths: ['conf/a'] },
    });
    expect(copied.notCopied).toEqual([{ path: 'conf/a', reason: 'target_unsafe' }]);
    expect(await kindOf(join(place.root, 'outside/a'))).toBe('missing');
  });

  it('refuses places that are taken, links, files, or named like options', async () => {
    const outside = join(place.root, 'outside');
    await writeFiles(outside, { mine: '1' });
    const work = join(place.root, 'work');
    await mkdir(work);
    await symlink(outside, join(work, 'link'));
    await writeFile(join(work, 'file'), '');
    const cases = [
      [outside, 'directory_taken'],
      [join(work, 'link'), 'directory_unsafe'],
      [join(work, 'link/inner'), 'directory_unsafe'],
      [join(work, 'file'), 'directory_unsafe'],
      [join(work, '--upload-pack=x'), 'bad_directory'],
      [join(work, '-x/inner'), 'bad_directory'],
      [`${work}/a/../b`, 'bad_directory'],
      [`${work}/a\nb`, 'bad_directory'],
      ['relative', 'bad_directory'],
    ] as const;
    for (const [dir, reason] of cases) {
      await expect(prepare(dir), dir).rejects.toMatchObject({ details: { reason } });
    }
    expect(await readFile(join(outside, 'mine'), 'utf8')).toBe('1');
    await expect(prepare(join(work, 'x'), { branch: '-x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    const start = { kind: 'commit', ref: 'a'.repeat(40) } as const;
    await expect(prepare(join(work, 'x'), { start })).rejects.toMatchObject({
      details: { reason: 'base_missing' },
    });
  });

  it('leaves pointers of large files as they are', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n';
    await commitFiles(
      place.repo,
      { '.gitattributes': '*.bin filter=lfs\n', 'a.bin': pointer },
      'LFS',
    );
    const other = { ...place, home: join(place.root, 'home2') };
    const dir = join(place.root, 'work/lfs');
    const { workdir } = await prepare(dir, { store: await makeStore(other) });
    expect(await readFile(join(dir, 'a.bin'), 'utf8')).toBe(pointer);
    expect((await readStatus(workdir)).dirty).toEqual([]);
  });

  it('rebuilds a directory whose .git the agent replaced only under another name', async () => {
    const task = await makeTask(place, store);
    await rename(join(task.dir, '.git'), join(place.root, 'moved'));
    await symlink(join(place.root, 'moved'), join(task.dir, '.git'));
    await expect(makeTask(place, store)).rejects.toMatchObject({
      details: { reason: 'git_dir_replaced' },
    });
  });

  it('is removed with its shadow, and only then', async () => {
    const task = await makeTask(place, store);
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
    await writeFiles(task.dir, { 'cache/locked/file': 'x' });
    await chmod(join(task.dir, 'cache/locked'), 0o500);
    await removeWorkdir(task.workdir);
    await removeWorkdir(task.workdir);
    expect(await kindOf(task.dir)).toBe('missing');
    expect(await kindOf(task.workdir.shadowDir)).toBe('missing');
  });
});
