/** Diffs, unified and structured, with caps that are told. */
import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diffCommits, diffWorkdir } from './diff.ts';
import type { DiffLimits } from './diff.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import { commitFiles, makePlace, makeStore, makeTask, taskId } from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';

const name = { task: taskId, attempt: 1 };

describe('diff', () => {
  let place: Place;
  let store: Store;
  let task: TaskPlace;
  beforeEach(async () => {
    place = await makePlace();
    await commitFiles(
      place.repo,
      { 'list.txt': '1\n2\n3\n4\n5\n', 'odd "name"\t.txt': 'a\n' },
      'List',
    );
    store = await makeStore(place);
    task = await makeTask(place, store);
  });
  afterEach(() => place.drop());

  const diff = (limits: DiffLimits = {}) =>
    diffWorkdir(task.workdir, { baseSha: task.baseSha, ...name }, limits);

  it('shows committed, uncommitted and untracked work as text and as structure', async () => {
    await commitFiles(task.dir, { 'list.txt': '1\n2\nthree\n4\n5\n' }, 'Three');
    await writeFile(join(task.dir, 'new.txt'), 'diff --git a/x b/x\n@@ -1 +1 @@\n-no newline');
    await rm(join(task.dir, 'odd "name"\t.txt'));
    const { files, stats, truncated, diff: text } = await diff();
    expect(truncated).toBe(false);
    expect(stats).toEqual({ filesChanged: 3, insertions: 4, deletions: 2 });
    expect(files).toEqual([
      {
        path: 'list.txt',
        action: 'modified',
        additions: 1,
        deletions: 1,
        binary: false,
        hunks: [{ header: '@@ -1,5 +1,5 @@', lines: [' 1', ' 2', '-3', '+three', ' 4', ' 5'] }],
      },
      {
        path: 'new.txt',
        action: 'added',
        additions: 3,
        deletions: 0,
        binary: false,
        hunks: [
          {
            header: '@@ -0,0 +1,3 @@',
            lines: [
              '+diff --git a/x b/x',
              '+@@ -1 +1 @@',
              '+-no newline',
              '\\ No newline at end of file',
            ],
          },
        ],
      },
      {
        path: 'odd "name"\t.txt',
        action: 'deleted',
        additions: 0,
        deletions: 1,
        binary: false,
        hunks: [{ header: '@@ -1 +0,0 @@', lines: ['-a'] }],
      },
    ]);
    expect(text).toContain('+three');
  });

  it('marks binary files, mode changes and files that became links', async () => {
    await writeFile(join(task.dir, 'raw.bin'), Buffer.from([0, 1, 2]));
    await chmod(join(task.dir, 'list.txt'), 0o755);
    await rm(join(task.dir, 'README.md'));
    await symlink('list.txt', join(task.dir, 'README.md'));
    const { files } = await diff();
    expect(
      files.map(({ path, action, binary, hunks }) => [path, action, binary, hunks.length]),
    ).toEqual([
      ['README.md', 'modified', false, 2],
      ['list.txt', 'modified', false, 0],
      ['raw.bin', 'added', true, 0],
    ]);
  });

  it('compares commits of the store by any name', async () => {
    const head = await commitFiles(task.dir, { a: '1\n' }, 'A');
    await takeCommits(task.workdir, name);
    const found = await diffCommits(store, 'main', head);
    expect(found.files.map((file) => file.path)).toEqual(['a']);
    expect((await diffCommits(store, head, head)).files).toEqual([]);
    await expect(diffCommits(store, 'main', 'nowhere')).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
    await expect(diffCommits(store, '--output=/tmp/x', head)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('cuts at its caps, says so, and still counts the whole', async () => {
    await writeFile(join(task.dir, 'a-big'), 'line\n'.repeat(2_000));
    await writeFile(join(task.dir, 'b-small'), 'x\n');
    const whole = { filesChanged: 2, insertions: 2_001, deletions: 0 };
    const bytes = await diff({ maxBytes: 1_000 });
    expect(bytes).toMatchObject({ truncated: true, stats: whole });
    expect(bytes.diff.length).toBeLessThanOrEqual(1_000);
    expect(bytes.files.map((file) => file.path)).toEqual(['a-big', 'b-small']);
    const lines = await diff({ linesPerFileMax: 10 });
    expect(lines).toMatchObject({ truncated: true, stats: whole });
    expect(lines.files.map((file) => file.hunks.length)).toEqual([0, 1]);
    const count = await diff({ filesMax: 1 });
    expect(count).toMatchObject({ truncated: true, stats: whole });
    expect(count.files.length).toBe(1);
  });

  it('carries no NUL and survives bytes that are not text', async () => {
    const late = Buffer.concat([
      Buffer.from(`${'x'.repeat(99)}\n`.repeat(100)),
      Buffer.from([0, 0xff, 10]),
    ]);
    await writeFile(join(task.dir, 'late-nul'), late);
    const found = await diff();
    expect(JSON.stringify(found)).not.toContain(String.raw`\u0000`);
  });
});
