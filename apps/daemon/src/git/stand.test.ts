/** A contract's branch in the stores of two machines: where it stands, whichever of them goes on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint, type Checkpoint } from './checkpoint.ts';
import { updateRefs } from './commit.ts';
import { keptIn } from './keep.ts';
import { mergeInto } from './merge.ts';
import { strayedRef, taskRef } from './names.ts';
import { ontoHead } from './onto-head.ts';
import { makePack } from './pack.ts';
import { standAt, type Carried } from './stand.ts';
import { refreshStore, resolveCommit, type Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  identity,
  makePlace,
  makeStore,
  makeTask,
  writeFiles,
} from './test-repository.ts';
import type { Place } from './test-repository.ts';
import { prepareWorkdir, type Prepared, type WorkStart } from './workdir.ts';

const branch = 'makima/fix-it';
const ref = `refs/heads/${branch}`;

describe('the copy of a branch', () => {
  let place: Place;
  let here: Store;
  let there: Store;
  let count = 0;
  beforeEach(async () => {
    place = await makePlace();
    here = await makeStore(place);
    there = await makeStore(place, join(place.root, 'other'));
    const base = await resolveCommit(here, 'main');
    for (const store of [here, there]) await updateRefs(store, [`create ${ref} ${base}`]);
  });
  afterEach(() => place.drop());

  /** Work of a task on this machine, merged into its copy of the branch; where that stands then. */
  const merged = async (
    store: Store,
    files: Record<string, string>,
    from = 'main',
  ): Promise<string> => {
    count += 1;
    const task = `0198c0de-0000-7000-8000-${`${count}`.padStart(12, '0')}`;
    const made = await makeTask(place, store, { task, ref: from });
    await commitFiles(made.dir, files, 'Work');
    await takeCommits(made.workdir, { task, attempt: 1 });
    const { commitSha } = await mergeInto(store, {
      operationId: `operation-${count}`,
      source: taskRef(task, 1),
      targetBranch: branch,
      how: 'merge',
      message: 'Merge',
    });
    return commitSha ?? '';
  };
  const stand = (store: Store, head: string, carried?: Carried): Promise<void> =>
    standAt(store, branch, head, {
      fetch: async () => {
        if (carried === undefined) throw new Error('nothing was to be fetched');
        return carried;
      },
      refresh: () => refreshStore(store),
    });
  const carriedFrom = async (store: Store): Promise<Carried> => makePack(store, ref, 1_048_576);
  const at = (store: Store, path: string): Promise<string> =>
    asAgent(store.dir, '--git-dir=.', 'show', `${ref}:${path}`);

  it('that is behind, or none yet, is brought to the head with all that was merged', async () => {
    const head = await merged(here, { 'one.txt': 'one\n' });
    for (const before of ['behind', 'none']) {
      if (before === 'none') await updateRefs(there, [`delete ${ref}`]);
      await stand(there, head, await carriedFrom(here));
      expect(await resolveCommit(there, ref)).toBe(head);
    }
    expect(await at(there, 'one.txt')).toBe('one');
    const next = await merged(there, { 'two.txt': 'two\n' });
    await stand(here, next, await carriedFrom(there));
    expect(await at(here, 'two.txt')).toBe('two');
    expect(await fsck(there)).toBe('');
  });

  it('that is ahead, or at the head, stays; one that is behind comes to where the branch is by now', async () => {
    const first = await merged(here, { 'one.txt': 'one\n' });
    const second = await merged(here, { 'two.txt': 'two\n' });
    for (const head of [first, second]) await stand(here, head);
    expect(await resolveCommit(here, ref)).toBe(second);
    await stand(there, first, await carriedFrom(here));
    expect(await resolveCommit(there, ref)).toBe(second);
  });

  it('that went another way is set to the head, and what it had keeps a name', async () => {
    const head = await merged(here, { 'one.txt': 'one\n' });
    const astray = await merged(there, { 'other.txt': 'other\n' });
    await stand(there, head, await carriedFrom(here));
    expect(await resolveCommit(there, ref)).toBe(head);
    expect(await resolveCommit(there, strayedRef(branch, astray))).toBe(astray);
  });

  it('is not used, and stays, when the head did not come', async () => {
    const head = await merged(here, { 'one.txt': 'one\n' });
    const before = await resolveCommit(there, ref);
    await expect(stand(there, head, { commitSha: head, pack: null })).rejects.toMatchObject({
      details: { reason: 'branch_elsewhere' },
    });
    const damaged = { commitSha: head, pack: Buffer.from('no pack') };
    await expect(stand(there, head, damaged)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    expect(await resolveCommit(there, ref)).toBe(before);
    // No pack is needed when the source itself has it.
    const pushed = await commitFiles(place.repo, { 'pushed.txt': 'pushed\n' }, 'Pushed');
    await stand(there, pushed, { commitSha: pushed, pack: null });
    expect(await at(there, 'pushed.txt')).toBe('pushed');
  });

  describe('in the directory of who leads, made anew on another machine', () => {
    const lead = '0198c0de-0000-7000-8000-0000000000aa';
    const prepared = (store: Store, number: number, start: WorkStart): Promise<Prepared> => {
      const dir = join(place.root, `lead-${number}`);
      return prepareWorkdir({ store, dir, branch, start, identity });
    };
    const checkpointOf = ({ workdir, startSha }: Prepared, number: number): Promise<Checkpoint> =>
      makeCheckpoint(workdir, {
        task: lead,
        attempt: number,
        number,
        message: '',
        baseSha: startSha,
      });
    const leads = async (files: Record<string, string>): Promise<Checkpoint> => {
      const made = await prepared(here, 1, { kind: 'commit', ref: branch });
      await writeFiles(made.workdir.dir, files);
      return checkpointOf(made, 1);
    };
    const again = async (
      store: Store,
      { baseSha, patch }: Pick<Checkpoint, 'baseSha' | 'patch'>,
      attempt: number,
    ): Promise<Prepared> => {
      if (patch === null) throw new Error('the checkpoint has no patch');
      const refresh = () => refreshStore(store);
      const onto = { task: lead, attempt, branch, baseSha, patch, refresh };
      return prepared(store, attempt, await ontoHead(store, onto));
    };
    const read = ({ workdir }: Prepared, file: string): Promise<string> =>
      readFile(join(workdir.dir, file), 'utf8');

    it('has what was merged since its checkpoint, and on top what was not committed, from machine to machine', async () => {
      const first = await leads({ 'note.txt': 'mine\n' });
      const head = await merged(here, { 'one.txt': 'one\n' });
      await stand(there, head, await carriedFrom(here));
      const second = await again(there, first, 2);
      expect(second.startSha).toBe(head);
      expect(await read(second, 'one.txt')).toBe('one\n');
      expect(await read(second, 'note.txt')).toBe('mine\n');
      expect(await asAgent(second.workdir.dir, 'status', '--porcelain')).toBe('?? note.txt');
      // What the branch had when that directory began is no work of its agent.
      const next = await checkpointOf(second, 2);
      const moved = await merged(there, { 'one.txt': 'two\n' }, branch);
      await stand(here, moved, await carriedFrom(there));
      const third = await again(here, next, 3);
      expect(third.startSha).toBe(moved);
      expect(await read(third, 'one.txt')).toBe('two\n');
      expect(await asAgent(third.workdir.dir, 'status', '--porcelain')).toBe('?? note.txt');
      expect(await keptIn(here.dir)).toEqual([]);
    });

    it('marks what both changed, and keeps the checkpoint; one of an older machine will do', async () => {
      const { baseSha, patch } = await leads({ 'README.md': '# Mine\n' });
      const head = await merged(here, { 'README.md': '# Theirs\n' });
      await stand(there, head, await carriedFrom(here));
      const plain = gunzipSync(patch ?? '');
      const old = gzipSync(plain.subarray(plain.indexOf('diff --git')));
      const made = await again(there, { baseSha, patch: old }, 2);
      expect(made.startSha).toBe(head);
      expect(await read(made, 'README.md')).toMatch(/<<<<<<<[^]*# Theirs\n[^]*# Mine\n[^]*>>>>>>>/);
      const [kept, ...more] = await keptIn(there.dir);
      expect(more).toEqual([]);
      expect(kept?.ref).toBe(`refs/makima/kept/${lead}-a2-conflict`);
      expect(await asAgent(there.dir, '--git-dir=.', 'show', `${kept?.sha}:README.md`)).toBe(
        '# Mine',
      );
    });

    it('begins at the head where its checkpoint changed nothing, and not at all with one that is spoilt', async () => {
      const { baseSha, patch } = await leads({});
      const head = await merged(here, { 'one.txt': 'one\n' });
      await stand(there, head, await carriedFrom(here));
      expect(await again(there, { baseSha, patch }, 2)).toMatchObject({ startSha: head });
      const spoilt = gzipSync(
        'diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n',
      );
      for (const bad of [spoilt, Buffer.from('no gzip')])
        await expect(again(there, { baseSha, patch: bad }, 3)).rejects.toMatchObject({
          details: { reason: 'patch_refused' },
        });
      const away = { baseSha: 'e'.repeat(40), patch };
      await expect(again(there, away, 3)).rejects.toMatchObject({
        details: { reason: 'ref_missing' },
      });
    });
  });
});
