/** What is merged when a directory goes is what the control plane says to be, never what a copy of the branch has. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mergeInto } from '../git/merge.ts';
import { taskRef } from '../git/names.ts';
import { makePack, takePack } from '../git/pack.ts';
import { ensureBranch, type Store } from '../git/store.ts';
import { takeCommits } from '../git/take.ts';
import { commitFiles, makePlace, makeStore, makeTask, type Place } from '../git/test-repository.ts';
import { collectWork } from './collect.ts';
import { gitWorkspace } from './git.ts';
import type { CarriedBranch, TaskRecord, Workspace } from './port.ts';

const branch = 'makima/fix-it';
let place: Place;
let store: Store;
/** The store of another machine. */
let other: Store;
const carried = new Map<string, CarriedBranch>();
const fetched: string[] = [];
beforeAll(async () => {
  place = await makePlace();
  store = await makeStore(place);
  other = await makeStore(place, join(place.root, 'other'));
});
afterAll(() => place.drop());

interface Work {
  readonly record: TaskRecord;
  readonly source: string;
}

/** A task's commit, taken over; by the daemon's own hand when it is settled. */
async function work(by: 'agent' | 'daemon'): Promise<Work> {
  const taskId = randomUUID();
  const { dir, workdir, baseSha } = await makeTask(place, store, { task: taskId });
  const sha = await commitFiles(dir, { [`${taskId}.txt`]: 'made' }, 'Work');
  await takeCommits(workdir, { task: taskId, attempt: 1 });
  await ensureBranch(store, branch, baseSha);
  await ensureBranch(other, branch, baseSha);
  const record = {
    taskId,
    attempt: 1,
    contractSlug: 'fix-it',
    name: 'Work',
    isSupervisor: false,
    repository: { url: null, path: place.repo, baseBranch: null },
    branch: `${branch}/${taskId}-a1`,
    contractBranch: branch,
    directory: dir,
    sharedWith: null,
    baseSha,
    agent: 'scripted',
    sessionId: taskId,
    settledSha: by === 'daemon' ? sha : null,
    leftoverSha: null,
    collected: true,
  };
  return { record, source: taskRef(taskId, 1) };
}

async function merged(into: Store, { source }: Work): Promise<string> {
  const options = { operationId: randomUUID(), source, targetBranch: branch };
  const { commitSha } = await mergeInto(into, { ...options, how: 'squash', message: 'Merge it' });
  return commitSha ?? '';
}

function workspace(): Workspace {
  return gitWorkspace({
    home: place.home,
    allowHosts: [],
    accessTo: async () => null,
    async fetchBranch({ commitSha }) {
      fetched.push(commitSha);
      const found = carried.get(commitSha);
      if (found === undefined) throw new Error('it is not to be had');
      return found;
    },
  });
}

async function cleaned({ record }: Work, commitSha: string | null, machine = workspace()) {
  const head = commitSha === null ? null : { contractId: randomUUID(), branch, commitSha };
  return (await machine.clean(record, head)).keptRefs;
}

it.each(['agent', 'daemon'] as const)(
  'by the %s: named when only the copy here holds it, not when the head does',
  async (by) => {
    const [taken, refused, first] = [await work(by), await work(by), await work(by)];
    const head = await merged(store, taken);
    await merged(store, refused);
    await merged(store, first);
    expect(await cleaned(taken, head)).toEqual([]);
    expect(await cleaned(refused, head)).toEqual([expect.stringContaining(refused.record.taskId)]);
    expect(await cleaned(first, null)).toEqual([expect.stringContaining(first.record.taskId)]);
  },
);

it.each([
  ['stopped', null],
  ['fenced', 'refs/makima/kept/'],
  ['crashed', 'refs/makima/kept/'],
])('%s: named at its end where the copy here may hold what was refused', async (why, named) => {
  const one = await work('agent');
  await merged(store, one);
  const { keptRef } = await collectWork(store, one.record, { leftovers: 'keep', why });
  expect(keptRef).toEqual(named === null ? null : expect.stringContaining(named));
});

it('merged on another machine: not named when the head can be brought here, once for all; else named', async () => {
  const [one, two, lacking] = [await work('agent'), await work('agent'), await work('agent')];
  for (const { source } of [one, two, lacking]) {
    const refresh = async () => undefined;
    await takePack(other, { ...(await makePack(store, source, 1_000_000)), ref: source, refresh });
  }
  await merged(other, one);
  const head = await merged(other, two);
  const sent = await makePack(other, head, 1_000_000);
  const last = await merged(other, lacking);
  const machine = workspace();
  expect(await cleaned(lacking, last, machine)).toEqual([
    expect.stringContaining(lacking.record.taskId),
  ]);
  carried.set(head, sent);
  const both = [one, two].map((each) => cleaned(each, head, machine));
  expect(await Promise.all(both)).toEqual([[], []]);
  expect(fetched).toEqual([last, head]);
});
