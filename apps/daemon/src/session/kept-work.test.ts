/** Kept work is told of, each ref once, whatever else of the machine's stores cannot be read. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '@makima/contracts/socket/reports';
import { createLog } from '@makima/runtime/log';
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

/** What a life of the daemon tells. */
async function told(): Promise<Report[]> {
  const before = journal.state.lastReportSeq;
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
  const records = openRecords(join(place.root, 'tasks'));
  const parts = { journal, records, workspace, log };
  await createKeptTeller(parts, join(place.root, 'kept-told')).tell();
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
  await writeFile(join(dir, 'new.txt'), 'new');
  const more = { task: fixedTask, attempt: 1, baseSha };
  expect((await keepWorkdir(workdir, more)).refs).toHaveLength(1);
});
