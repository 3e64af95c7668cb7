/** A contract's branch in the stores of two machines: where it stands, whichever of them goes on. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { updateRefs } from './commit.ts';
import { mergeInto } from './merge.ts';
import { strayedRef, taskRef } from './names.ts';
import { makePack } from './pack.ts';
import { standAt, type Carried } from './stand.ts';
import { refreshStore, resolveCommit, type Store } from './store.ts';
import { takeCommits } from './take.ts';
import { asAgent, commitFiles, fsck, makePlace, makeStore, makeTask } from './test-repository.ts';
import type { Place } from './test-repository.ts';

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
  const merged = async (store: Store, files: Record<string, string>): Promise<string> => {
    count += 1;
    const task = `0198c0de-0000-7000-8000-${`${count}`.padStart(12, '0')}`;
    const made = await makeTask(place, store, { task });
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
});
