/** A checkpoint holds everything and touches neither index nor branch of the agent. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import type { CheckpointOptions } from './checkpoint.ts';
import { mergeInto } from './merge.ts';
import { git } from './run.ts';
import { readStatus } from './shadow.ts';
import { ensureBranch, resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  makePlace,
  makeStore,
  makeTask,
  taskId,
} from './test-repository.ts';
import { makeRepository, writeFiles } from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

describe('checkpoint', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
    task = await makeTask(place, store);
  });
  afterEach(() => place.drop());

  const checkpoint = (number: number, more: Partial<CheckpointOptions> = {}) =>
    makeCheckpoint(task.workdir, {
      task: taskId,
      attempt: 1,
      number,
      message: 'Half way',
      baseSha: task.baseSha,
      ...more,
    });
  const inStore = (...args: string[]): Promise<string> =>
    asAgent(store.dir, '--git-dir=.', ...args);
  const files = async (commit: string): Promise<string[]> =>
    (await inStore('ls-tree', '-r', '--name-only', commit)).split('\n');

  it('holds everything, and touches neither the index nor the branch of the agent', async () => {
    await commitFiles(task.dir, { 'done.txt': '1\n' }, 'Done');
    await writeFiles(task.dir, {
      '.gitignore': '*.log\n',
      'x.log': 'noise',
      'new dir/ü"\n.txt': 'n',
    });
    await writeFile(join(task.dir, 'README.md'), 'staged\n');
    await asAgent(task.dir, 'add', 'README.md');
    await writeFile(join(task.dir, 'README.md'), 'later\n');
    const before = await readFile(join(task.dir, '.git/index'));
    const status = await asAgent(task.dir, 'status', '--porcelain', '-b');
    const head = await asAgent(task.dir, 'rev-parse', 'HEAD');

    const made = await checkpoint(1);
    expect(made).toMatchObject({ parentSha: head, baseSha: task.baseSha, branchName: task.branch });
    expect(made).toMatchObject({ filesChanged: 4, linesAdded: 4, linesRemoved: 1 });
    expect(made).toMatchObject({ embedded: [], skipped: [] });
    expect(await inStore('ls-tree', '-r', '-z', '--name-only', made.commitSha)).toBe(
      ['.gitignore', 'README.md', 'done.txt', 'new dir/ü"\n.txt', 'src/one.ts', ''].join('\0'),
    );
    expect(await inStore('show', `${made.commitSha}:README.md`)).toBe('later');
    expect(await readFile(join(task.dir, '.git/index'))).toEqual(before);
    expect(await asAgent(task.dir, 'status', '--porcelain', '-b')).toBe(status);
    expect(await resolveCommit(store, made.ref)).toBe(made.commitSha);
    expect(await fsck(store)).toBe('');
  });

  it('sees deletions, modes, links, and files that became directories', async () => {
    await writeFiles(task.dir, { a: '1', 'tool.sh': 'x' });
    await checkpoint(1);
    await asAgent(task.dir, 'rm', '-q', '--force', 'src/one.ts');
    await rename(join(task.dir, 'a'), join(task.dir, 'b'));
    await mkdir(join(task.dir, 'a'));
    await writeFile(join(task.dir, 'a/inner'), '1');
    await chmod(join(task.dir, 'tool.sh'), 0o755);
    await symlink('/etc/passwd', join(task.dir, 'link'));
    await symlink('/etc', join(task.dir, 'src'));
    const made = await checkpoint(2);
    const listed = await inStore('ls-tree', '-r', made.commitSha);
    expect(listed.replaceAll(/ (blob) [0-9a-f]+\t/g, ' ')).toBe(
      '100644 README.md\n100644 a/inner\n100644 b\n120000 link\n120000 src\n100755 tool.sh',
    );
    expect(await inStore('show', `${made.commitSha}:link`)).toBe('/etc/passwd');
  });

  it('is the same checkpoint for the same number', async () => {
    await writeFile(join(task.dir, 'a'), '1');
    const first = await checkpoint(1);
    await writeFile(join(task.dir, 'a'), '2');
    const again = await checkpoint(1);
    expect(again).toMatchObject({ commitSha: first.commitSha, baseSha: first.baseSha });
    expect(again.patch?.equals(first.patch ?? Buffer.alloc(0))).toBe(true);
    expect((await checkpoint(2)).commitSha).not.toBe(first.commitSha);
  });

  it('is one checkpoint when the same number is asked for twice at once', async () => {
    await writeFile(join(task.dir, 'a'), '1');
    const [one, two, other] = await Promise.all([checkpoint(1), checkpoint(1), checkpoint(2)]);
    expect(one.commitSha).toBe(two.commitSha);
    expect(other.commitSha).not.toBe(one.commitSha);
    expect(await fsck(store)).toBe('');
  });

  it('is a commit even when nothing changed', async () => {
    const made = await checkpoint(1);
    expect(made).toMatchObject({ filesChanged: 0, parentSha: task.baseSha });
    expect(gunzipSync(made.patch ?? Buffer.alloc(0)).length).toBe(0);
    const second = await checkpoint(2);
    expect(await resolveCommit(store, second.ref)).toBe(second.commitSha);
  });

  it('keeps to the base when the agent left its history', async () => {
    await asAgent(task.dir, 'checkout', '--quiet', '--orphan', 'elsewhere');
    await asAgent(task.dir, 'commit', '--quiet', '-m', 'Orphan');
    expect(await checkpoint(1)).toMatchObject({ parentSha: task.baseSha, branchName: 'elsewhere' });
    await asAgent(task.dir, 'checkout', '--quiet', '--orphan', 'unborn');
    expect(await checkpoint(2)).toMatchObject({ parentSha: task.baseSha, branchName: 'unborn' });
    await asAgent(task.dir, 'checkout', '--quiet', '--detach', task.branch);
    expect(await checkpoint(3)).toMatchObject({ branchName: 'detached' });
  });

  it('makes a patch against a commit that the source has, counts against the base', async () => {
    const branch = 'makima/fix-it';
    await ensureBranch(store, branch, task.baseSha);
    await commitFiles(task.dir, { one: '1\n' }, 'One');
    const first = await checkpoint(1);
    const merged = await mergeInto(store, {
      operationId: 'op-1',
      source: first.parentSha,
      targetBranch: branch,
      how: 'merge',
      message: 'Merge',
    });
    const second = await makeTask(place, store, { attempt: 2, ref: branch });
    await writeFile(join(second.dir, 'two'), '2\n');
    const made = await makeCheckpoint(second.workdir, {
      task: taskId,
      attempt: 2,
      number: 2,
      message: '',
      baseSha: merged.commitSha ?? '',
    });
    expect(made).toMatchObject({ baseSha: task.baseSha, filesChanged: 1, linesAdded: 1 });
    const patch = gunzipSync(made.patch ?? Buffer.alloc(0)).toString();
    expect(patch).toContain('+++ b/one');
    expect(patch).toContain('+++ b/two');
  });

  it('says when the patch is too large, instead of cutting it', async () => {
    await writeFile(join(task.dir, 'big'), 'line\n'.repeat(5_000));
    expect((await checkpoint(1, { patchMaxBytes: 10_000 })).patch).toBeNull();
  });

  it('names what it could not save', async () => {
    await writeFile(join(task.dir, 'giant'), '');
    await truncate(join(task.dir, 'giant'), 10 * 1024 ** 3);
    await writeFile(join(task.dir, 'small'), 's');
    execFileSync('mkfifo', [join(task.dir, 'pipe')]);
    const made = await checkpoint(1);
    expect(made.skipped).toEqual([{ path: 'giant', reason: 'too_large' }]);
    expect(await files(made.commitSha)).toEqual(['README.md', 'small', 'src/one.ts']);
    await expect(checkpoint(2, { totalMaxBytes: 0 })).rejects.toMatchObject({
      details: { reason: 'too_large' },
    });
    expect(await resolveCommit(store, made.ref.replace(/1$/, '2'))).toBeNull();
  });

  it('saves the files of embedded repositories, however they came, and reports them', async () => {
    await makeRepository(join(task.dir, 'sub'), { 'in.txt': 'inner', 'deep/x': '1' });
    await makeRepository(join(task.dir, 'sub/nested'), { n: '1' });
    await mkdir(join(task.dir, 'src/again'));
    await makeRepository(join(task.dir, 'added'), { file: 'a' });
    await asAgent(task.dir, '-c', 'advice.addEmbeddedRepo=false', 'add', 'added');
    await asAgent(task.dir, 'commit', '--quiet', '-m', 'A bare pointer');
    expect((await readStatus(task.workdir)).embedded).toEqual(['added', 'sub']);
    const made = await checkpoint(1);
    expect(made.embedded).toEqual([
      { path: 'added', saved: true },
      { path: 'sub', saved: true },
    ]);
    expect(await files(made.commitSha)).toEqual([
      'README.md',
      'added/file',
      'src/one.ts',
      'sub/deep/x',
      'sub/in.txt',
      'sub/nested/n',
    ]);
    await writeFile(join(task.dir, 'added/file'), 'changed');
    const second = await checkpoint(2);
    expect(await inStore('show', `${second.commitSha}:added/file`)).toBe('changed');
    expect(await fsck(store)).toBe('');
  });

  it('leaves real submodules as the pointers that they are', async () => {
    const library = join(place.root, 'library');
    await makeRepository(library, { l: '1' });
    await asAgent(task.dir, 'submodule', '--quiet', 'add', library, 'lib');
    await asAgent(task.dir, 'commit', '--quiet', '-m', 'Submodule');
    await writeFile(join(task.dir, 'lib/l'), 'changed');
    const made = await checkpoint(1);
    expect(made.embedded).toEqual([{ path: 'lib', saved: false }]);
    expect(await inStore('ls-tree', made.commitSha, 'lib')).toMatch(/^160000 commit/);
  });

  it('refuses a .git that became a link, unless it is asked for the files alone', async () => {
    await writeFile(join(task.dir, 'work'), 'w');
    await rename(join(task.dir, '.git'), join(place.root, 'moved'));
    const refusal = { code: 'GIT_FAILED', details: { reason: 'git_dir_replaced' } };
    await expect(checkpoint(1)).rejects.toMatchObject(refusal);
    await symlink(join(place.root, 'moved'), join(task.dir, '.git'));
    await expect(checkpoint(1)).rejects.toMatchObject(refusal);
    const made = await checkpoint(1, { onBrokenGit: 'files_only' });
    expect(made.parentSha).toBe(task.baseSha);
    expect(await files(made.commitSha)).toContain('work');
  });

  it('builds its own index anew when that was damaged, and survives a killed git', async () => {
    await checkpoint(1);
    await writeFile(join(task.workdir.shadowDir, 'index'), 'garbage');
    await writeFile(join(task.workdir.shadowDir, 'index.lock'), '');
    await writeFile(`${task.workdir.shadowDir}.lock`, '4194999:1:gone');
    await writeFile(join(task.dir, 'a'), '1');
    expect(await files((await checkpoint(2)).commitSha)).toContain('a');
  });

  it('leaves no ref when it fails half way', async () => {
    await writeFile(join(task.dir, 'a'), '1');
    const huge = 'x'.repeat(10);
    await expect(checkpoint(1, { baseSha: huge })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(checkpoint(1, { baseSha: 'c'.repeat(40) })).rejects.toMatchObject({
      details: { reason: 'base_missing' },
    });
    const refs = await git(['for-each-ref', 'refs/makima/checkpoints'], { gitDir: store.dir });
    expect(refs.stdout).toBe('');
  });
});
