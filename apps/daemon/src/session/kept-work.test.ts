/** Kept work is told of, each ref once, whatever else of the machine's stores cannot be read. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '@makima/contracts/socket/reports';
import { createLog } from '@makima/runtime/log';
import { commitTree, treeOf, updateRefs } from '../git/commit.ts';
import { keepCommit, keepWorkdir } from '../git/keep.ts';
import { resolveCommit, type Store } from '../git/store.ts';
import {
  makePlace,
  makeStore,
  makeTask,
  taskId as fixedTask,
  type Place,
} from '../git/test-repository.ts';
import { openJournal, type Journal } from '../journal/journal.ts';
import { gitWorkspace } from '../workspace/git.ts';
import { createKeptTeller } from './kept-work.ts';
import { openRecords } from './records.ts';
import type { KeptTeller } from '../context.ts';

const record = {
  attempt: 1,
  contractSlug: 'fix-it',
  name: 'kept',
  isSupervisor: false,
  repository: null,
  branch: 'makima/fix-it/kept',
  directory: '/nowhere',
  sharedWith: null,
  baseSha: null,
  agent: 'scripted',
  sessionId: 'none',
  settledSha: null,
  leftoverSha: null,
  collected: true,
} as const;

let place: Place;
let store: Store;
let journal: Journal;
const lines: string[] = [];

beforeAll(async () => {
  place = await makePlace();
  store = await makeStore(place);
  journal = await openJournal({
    directory: join(place.root, 'journal'),
    newJournalId: randomUUID,
    redact: (json) => json,
    onTrouble: (error) => lines.push(String(error)),
    capBytes: 1024 * 1024,
  });
});
afterAll(async () => {
  await journal.close();
  await place.drop();
});

function tasksDir(): string {
  return join(place.root, 'tasks');
}

/** A life of the daemon, that tells. */
function life(): KeptTeller {
  const workspace = gitWorkspace({
    home: place.home,
    allowHosts: [],
    accessTo: async () => null,
    fetchBranch: async ({ commitSha }) => ({ commitSha, pack: null }),
  });
  const log = createLog({
    service: 'test',
    sink: { write: (line) => void lines.push(line), flush: () => undefined },
  });
  const records = openRecords(tasksDir());
  const parts = { journal, records, workspace, log };
  return createKeptTeller(parts, join(place.root, 'kept-told'));
}

async function told(by = life()): Promise<Report[]> {
  const before = journal.state.lastReportSeq;
  await by.tell();
  if (journal.state.lastReportSeq === before) return [];
  const bodies = await journal.read(before + 1, 100_000);
  return bodies.map((body) => JSON.parse(body) as Report);
}

it('is told of beside a store and a ref that git cannot read, which are logged', async () => {
  const sha = (await resolveCommit(store, 'main')) ?? '';
  const taskId = randomUUID();
  const { ref } = await keepCommit(store, sha, { task: taskId, attempt: 1 });
  const lost = `refs/makima/kept/${randomUUID()}-a1`;
  await writeFile(join(store.dir, lost), `${'f'.repeat(40)}\n`);
  await mkdir(join(place.home, 'stores', `${'0'.repeat(16)}.git`));
  expect(await told()).toEqual([{ kind: 'task.kept', taskId, attempt: 1, ref, why: 'unmerged' }]);
  expect(lines).toEqual([
    expect.stringContaining(`"store":"${'0'.repeat(16)}.git"`),
    expect.stringContaining(lost),
  ]);
  // Nor does it stand in the way of keeping more.
  const { dir, workdir, baseSha } = await makeTask(place, store);
  await writeFile(join(store.dir, `refs/makima/kept/${fixedTask}-a1`), `${'e'.repeat(40)}\n`);
  await writeFile(join(dir, 'new.txt'), 'new');
  const more = { task: fixedTask, attempt: 1, baseSha };
  expect((await keepWorkdir(workdir, more)).refs).toEqual([
    `refs/makima/kept/${fixedTask}-a1-dirty`,
  ]);
  expect((await keepWorkdir(workdir, more)).refs).toHaveLength(1);
});

it('that a branch holds is told when the branch goes back; a ref that moves on with new work once more', async () => {
  const base = (await resolveCommit(store, 'main')) ?? '';
  const sha = await childOf(base);
  const taskId = randomUUID();
  const contractBranch = 'makima/fix-it';
  const branchTo = (to: string) => updateRefs(store, [`update refs/heads/${contractBranch} ${to}`]);
  await openRecords(tasksDir()).write({ ...record, taskId, contractBranch });
  const { ref } = await keepCommit(store, sha, { task: taskId, attempt: 1 });
  const kept = (by?: KeptTeller) =>
    told(by).then((all) => all.filter((one) => one.kind === 'task.kept' && one.taskId === taskId));
  await branchTo(sha);
  const one = life();
  for (let looks = 0; looks < 2; looks += 1) expect(await kept(one)).toEqual([]);
  await branchTo(base);
  const word = { kind: 'task.kept', taskId, attempt: 1, ref, why: 'unmerged' };
  expect(await kept(one)).toEqual([word]);
  expect(await kept()).toEqual([]);
  expect(await keepCommit(store, await childOf(sha), { task: taskId, attempt: 1 })).toMatchObject({
    ref,
  });
  expect(await kept()).toEqual([word]);
  expect(await kept()).toEqual([]);
});

async function childOf(parent: string): Promise<string> {
  const tree = await treeOf(store, parent);
  return commitTree(store, { tree, parents: [parent], message: `After ${parent}` });
}
