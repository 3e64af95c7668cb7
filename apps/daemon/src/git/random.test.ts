/**
 * Whatever agents and the daemon do in whatever order, and wherever git is killed: no commit that an agent
 * made becomes unreachable, no checkpoint is half, and the store stays whole.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import { GitFailure, hasReason } from './failure.ts';
import { keepWorkdir } from './keep.ts';
import { mergeInto } from './merge.ts';
import { taskRef } from './names.ts';
import { processMark } from './process-mark.ts';
import { git } from './run.ts';
import { ensureBranch, refreshStore, resolveCommit } from './store.ts';
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
  taskId,
} from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';
import { removeWorkdir } from './workdir.ts';

const target = 'makima/fix-it';

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('random life', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
  });
  afterEach(() => place.drop());

  const reachable = async (): Promise<Set<string>> => {
    const { stdout } = await git(['rev-list', '--all'], { gitDir: store.dir });
    return new Set(stdout.split('\n'));
  };

  const seeds = [Number(process.hrtime.bigint() % 100_000n), 7];
  it.each(seeds)('loses no commit (seed %i)', async (seed) => {
    const random = randomFrom(seed);
    const made: string[] = [];
    const tasks: TaskPlace[] = [];
    for (const attempt of [1, 2]) tasks.push(await makeTask(place, store, { attempt }));
    await ensureBranch(store, target, tasks[0]?.baseSha ?? '');
    let step = 0;
    const checkpoints: string[] = [];
    for (let count = 0; count < 30; count += 1) {
      step += 1;
      const attempt = random(2) + 1;
      const task = tasks[attempt - 1];
      if (task === undefined) continue;
      const agent = (...args: string[]) => asAgent(task.dir, ...args).catch(() => '');
      const commit = async (): Promise<void> => {
        made.push(await commitFiles(task.dir, { [`f${random(5)}`]: `${step}` }, `Step ${step}`));
      };
      const name = { task: taskId, attempt };
      const { baseSha } = task;
      const actions: (() => Promise<unknown>)[] = [
        commit,
        commit,
        () => agent('commit', '--quiet', '--amend', '--allow-empty', '-m', `Amended ${step}`),
        () => agent('reset', '--quiet', '--hard', 'HEAD~1'),
        () => agent('checkout', '--quiet', '-B', `b${random(3)}`),
        () => agent('checkout', '--quiet', '--detach'),
        () => agent('stash', '--quiet', '--include-untracked'),
        () => writeFile(join(task.dir, `dirty${random(3)}`), `${step}`),
        () => makeRepository(join(task.dir, `nested${step}`), { n: `${step}` }),
        () => takeCommits(task.workdir, name),
        async () => {
          const options = { ...name, number: step, message: '', baseSha };
          checkpoints.push((await makeCheckpoint(task.workdir, options)).commitSha);
        },
        () => keepWorkdir(task.workdir, { ...name, baseSha }),
        () => refreshStore(store),
        async () => {
          await takeCommits(task.workdir, name);
          const operationId = `op-${step}`;
          const how = random(2) === 0 ? 'merge' : 'squash';
          const source = taskRef(taskId, attempt);
          const merge = { operationId, source, targetBranch: target, how, message: '' } as const;
          // An agent that amended the first commit has left the branch's history.
          return mergeInto(store, merge).catch((error: unknown) => {
            if (!hasReason(error, 'unrelated_histories')) throw error;
          });
        },
      ];
      await actions[random(actions.length)]?.();
      const head = await agent('rev-parse', '--verify', '--quiet', 'HEAD');
      if (head !== '') made.push(head);
    }
    for (const [index, task] of tasks.entries()) {
      await keepWorkdir(task.workdir, { task: taskId, attempt: index + 1, baseSha: task.baseSha });
      await removeWorkdir(task.workdir);
    }
    const all = await reachable();
    expect([...made, ...checkpoints].filter((sha) => !all.has(sha))).toEqual([]);
    expect(await fsck(store)).toBe('');
  });

  it('goes on after its git was killed at any moment, with no half checkpoint', async () => {
    const task = await makeTask(place, store);
    const name = { task: taskId, attempt: 1 };
    const random = randomFrom(11);
    const made: string[] = [];
    let killed = 0;
    for (let number = 1; number <= 8; number += 1) {
      made.push(
        await commitFiles(task.dir, { [`f${number}`]: 'x'.repeat(number * 1_000) }, `${number}`),
      );
      await writeFile(join(task.dir, 'dirty'), `${number}`);
      const options = { ...name, number, message: '', baseSha: task.baseSha };
      const stop = killAfter(random(12));
      const first = await makeCheckpoint(task.workdir, options).catch((error: unknown) => error);
      stop();
      if (first instanceof Error) {
        expect(first).toBeInstanceOf(GitFailure);
        killed += 1;
      }
      const again = await makeCheckpoint(task.workdir, options);
      const tree = await asAgent(store.dir, '--git-dir=.', 'show', `${again.commitSha}:dirty`);
      expect(tree).toBe(`${number}`);
    }
    expect(killed).toBeGreaterThan(0);
    await rm(task.dir, { recursive: true });
    const all = await reachable();
    expect(made.filter((sha) => !all.has(sha))).toEqual([]);
    expect(await resolveCommit(store, taskRef(taskId, 1))).toBe(made.at(-1));
    expect(await fsck(store)).toBe('');
  });
});

/** Kills the git process of this process that is seen after `skip` others have been. Returns how to stop. */
function killAfter(skip: number): () => void {
  const mark = `MAKIMA_GIT_OWNER=${processMark()}`;
  const seen = new Set<number>();
  let done = false;
  const look = (): void => {
    if (done) return;
    for (const pid of childrenWith(mark)) {
      seen.add(pid);
      if (seen.size > skip) {
        done = true;
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It was quicker.
        }
        return;
      }
    }
    setImmediate(look);
  };
  look();
  return () => {
    done = true;
  };
}

function childrenWith(mark: string): number[] {
  const tasks = `/proc/${process.pid}/task`;
  const children = readdirSync(tasks).flatMap((thread) => {
    try {
      return readFileSync(`${tasks}/${thread}/children`, 'utf8').trim().split(' ');
    } catch {
      return [];
    }
  });
  return children.map(Number).filter((pid) => {
    try {
      return pid > 1 && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}
