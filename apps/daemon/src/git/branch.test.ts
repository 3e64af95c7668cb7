/** Branches of the store: made once, never moved, hostile names refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBranch } from './branch.ts';
import { taskRef } from './names.ts';
import { resolveCommit, type Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  commitFiles,
  fsck,
  makePlace,
  makeStore,
  makeTask,
  taskId,
  type Place,
} from './test-repository.ts';

const branch = 'makima/fix-it.try';

describe('a branch', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
  });
  afterEach(() => place.drop());

  const make = (operationId: string, from: readonly string[], name = branch) =>
    createBranch(store, { operationId, branch: name, from });

  it('is made where it should begin, once, and stays there', async () => {
    const task = await makeTask(place, store);
    const sha = await commitFiles(task.dir, { a: '1' }, 'Work');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
    const own = taskRef(taskId, 1);
    const made = await make('op-1', [own, 'main']);
    expect(made).toEqual({ branch, commitSha: sha, created: true });
    expect(await resolveCommit(store, `refs/heads/${branch}`)).toBe(sha);
    await commitFiles(task.dir, { b: '1' }, 'More');
    await takeCommits(task.workdir, { task: taskId, attempt: 1 });
    // The same operation again, after its source went on.
    expect(await make('op-1', [own])).toEqual(made);
    expect(await make('op-2', [sha])).toEqual({ ...made, created: false });
    await expect(make('op-3', [own])).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { branch, commitSha: sha },
    });
    expect(await resolveCommit(store, `refs/heads/${branch}`)).toBe(sha);
    expect(await fsck(store)).toBe('');
  });

  it('begins at the first name that is there', async () => {
    expect(await make('op-1', [taskRef(taskId, 9), 'main'])).toMatchObject({
      commitSha: await resolveCommit(store, 'main'),
    });
    await expect(make('op-2', ['none'], 'makima/fix-it.other')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(make('op-3', ['0'.repeat(40)], 'makima/fix-it.other')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('is one, however many ask at once', async () => {
    const asked = Array.from({ length: 6 }, (_, index) => make(`op-${index}`, ['main']));
    const made = await Promise.all(asked);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
  });

  it.each(['-x', '--output=/tmp/x', 'a..b', '@{-1}', 'a b', 'a\nb', ';rm', 'refs/heads/-x', 'A'])(
    'is not named %j',
    async (name) => {
      await expect(make('op-1', ['main'], name)).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      });
      await expect(make('op-2', [name === 'A' ? '-A' : name])).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    },
  );
});
