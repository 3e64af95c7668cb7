/** Commits between two stores of one source: whole, checked, bounded. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { taskRef } from './names.ts';
import { makePack, takePack } from './pack.ts';
import { git } from './run.ts';
import { refreshStore, resolveCommit, type Store } from './store.ts';
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
} from './test-repository.ts';

const ref = taskRef(taskId, 1);
const most = 1_048_576;

describe('a pack', () => {
  let place: Place;
  let here: Store;
  let there: Store;
  beforeEach(async () => {
    place = await makePlace();
    here = await makeStore(place);
    there = await makeStore(place, join(place.root, 'other'));
  });
  afterEach(() => place.drop());

  const work = async (files: Record<string, string>): Promise<string> => {
    const task = await makeTask(place, here);
    await commitFiles(task.dir, { 'first.txt': 'first\n' }, 'First of two');
    const sha = await commitFiles(task.dir, files, 'Second of two');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
    return sha;
  };
  const take = (pack: Buffer | null, commitSha: string) =>
    takePack(there, { pack, commitSha, ref, refresh: () => refreshStore(there) });

  it('brings all commits over, once or twice', async () => {
    const sha = await work({ 'README.md': '# Hello\nmore\n' });
    const { commitSha, pack } = await makePack(here, ref, most);
    expect(commitSha).toBe(sha);
    for (const _ of [1, 2]) await take(pack, sha);
    expect(await resolveCommit(there, ref)).toBe(sha);
    expect(await asAgent(there.dir, '--git-dir=.', 'show', `${ref}:README.md`)).toContain('more');
    expect(await asAgent(there.dir, '--git-dir=.', 'log', '--format=%s', ref)).toBe(
      'Second of two\nFirst of two\nFirst',
    );
    expect(await fsck(there)).toBe('');
  });

  it('may build on what the source has and the other store has not seen', async () => {
    await commitFiles(place.repo, { 'new.txt': 'new\n' }, 'New at the source');
    await refreshStore(here);
    const sha = await work({ 'new.txt': 'new\nand more\n' });
    const { pack } = await makePack(here, ref, most);
    await take(pack, sha);
    expect(await resolveCommit(there, ref)).toBe(sha);
    expect(await fsck(there)).toBe('');
  });

  it('is none for a commit that the source has', async () => {
    const base = await resolveCommit(here, 'main');
    await asAgent(here.dir, '--git-dir=.', 'update-ref', ref, base ?? '');
    const made = await makePack(here, ref, most);
    expect(made).toEqual({ commitSha: base, pack: null });
    await take(null, made.commitSha);
    expect(await resolveCommit(there, ref)).toBe(base);
  });

  it('is refused when too large, damaged, incomplete, or not of the commit that was named', async () => {
    const noise = Array.from({ length: 4_000 }, (_, i) => `${Math.sin(i)}`).join('\n');
    const sha = await work({ 'noise.txt': noise });
    await expect(makePack(here, ref, 10_000)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const { pack } = await makePack(here, ref, most);
    if (pack === null) throw new Error('there is a pack');
    const damaged = Buffer.from(pack);
    const middle = Math.floor(damaged.length / 2);
    damaged.writeUInt8(damaged.readUInt8(middle) ^ 0xff, middle);
    for (const bad of [damaged, pack.subarray(0, 100), Buffer.from('no pack')])
      await expect(take(bad, sha)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    // The head's objects alone lead to a commit that is nowhere.
    const { bytes: gap } = await git(['pack-objects', '--quiet', '--revs', '--stdout'], {
      gitDir: here.dir,
      input: `${sha}\n^${sha}^\n`,
    });
    await expect(take(gap, sha)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await expect(take(pack, 'f'.repeat(40))).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
    await expect(take(null, 'e'.repeat(40))).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
    await expect(take(pack, '--output=x')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await resolveCommit(there, ref)).toBeNull();
    await expect(makePack(here, taskRef(taskId, 9), most)).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
  });
});
