/**
 * The workspace over the git room: the daemon's commands in terms of stores, shadows and refs.
 *
 * Law: translates, decides nothing about git; results are cut to what a frame takes and say so.
 */
import { stat } from 'node:fs/promises';
import { MakimaError } from '@makima/domain/error';
import type { RepositorySpec } from '@makima/contracts/socket/commands';
import { makeCheckpoint } from '../git/checkpoint.ts';
import { readAtCommit, runCheck } from '../git/command.ts';
import { diffCommits, diffWorkdir, type Diff, type DiffLimits } from '../git/diff.ts';
import { isHeld, keepCommit, keepWorkdir } from '../git/keep.ts';
import { taskRef } from '../git/names.ts';
import { isDenied, readBelow } from '../git/read-file.ts';
import { workdirAt } from '../git/shadow.ts';
import { resolveCommit, type Store } from '../git/store.ts';
import { removeWorkdir } from '../git/workdir.ts';
import { gitBranches } from './branches.ts';
import { branchHere, collectWork, keepSettled } from './collect.ts';
import { keptHere } from './kept.ts';
import { prepareTask, storeAt, storeOf, type Place } from './prepare.ts';
import type { Collected, ResultOf, TaskRecord, Workspace } from './port.ts';

/** A result whose JSON is larger is made anew with smaller limits. */
const resultMaxBytes = 800_000;
const outputMaxBytes = 64 * 1024;

const nothingCollected: Collected = {
  commitSha: null,
  settledSha: null,
  keptRef: null,
  leftoverSha: null,
};

export function gitWorkspace(place: Place): Workspace {
  const arriving: Arriving = new Map();
  return {
    prepare: (start, options) => prepareTask(place, start, options),
    async collect(record, options) {
      if (record.repository === null) return nothingCollected;
      return collectWork(await storeFor(place, record), record, options);
    },
    async checkpoint(record, command) {
      const store = await storeFor(place, record);
      const made = await keepSettled(store, record, () =>
        makeCheckpoint(workdirAt(store, record.directory), {
          task: record.taskId,
          attempt: record.attempt,
          number: command.number,
          message: command.message,
          baseSha: baseOf(record),
        }),
      );
      const { commitSha, baseSha, branchName, filesChanged, linesAdded, linesRemoved } = made;
      const counts = { filesChanged, linesAdded, linesRemoved };
      const result = { commitSha, baseSha, branchName, ...counts, patchParts: 0 };
      return { result: { kind: 'task.checkpoint', ...result }, patch: made.patch };
    },
    diff: (record) => diffTask(place, record),
    ...gitBranches(place),
    check: (command) => check(place, command),
    kept: (look) => keptHere(place.home, look),
    clean: (record, head) => clean({ place, arriving }, record, head),
    readFile: (record, filePath) => readTaskFile(place, record, filePath),
  };
}

async function storeFor(place: Place, record: TaskRecord): Promise<Store> {
  return storeOf(place, withRepository(record));
}

function withRepository(record: TaskRecord): RepositorySpec {
  if (record.repository !== null) return record.repository;
  throw new MakimaError('MISSING_REPO_URL', 'The task works without a repository.');
}

function baseOf(record: TaskRecord): string {
  if (record.baseSha !== null) return record.baseSha;
  throw new MakimaError('MISSING_REPO_URL', 'The task works without a repository.');
}

async function diffTask(place: Place, record: TaskRecord): Promise<ResultOf<'task.diff'>> {
  const store = await storeFor(place, record);
  const { taskId: task, attempt } = record;
  const look = async (limits: DiffLimits): Promise<Diff> => {
    if (record.settledSha !== null || !(await isThere(record.directory))) {
      return diffCommits(store, baseOf(record), taskRef(task, attempt), limits);
    }
    const workdir = workdirAt(store, record.directory);
    return diffWorkdir(workdir, { baseSha: baseOf(record), task, attempt }, limits);
  };
  for (let maxBytes = 192 * 1024; ; maxBytes = Math.floor(maxBytes / 4)) {
    const { diff, files, stats, truncated } = await look({ maxBytes, filesMax: 500 });
    const result: ResultOf<'task.diff'> = {
      kind: 'task.diff',
      diff,
      files: files.map(({ path, action, additions, deletions, binary, hunks }) => ({
        path,
        action,
        additions,
        deletions,
        binary,
        hunks: hunks.map(({ header, lines }) => ({ header, lines: [...lines] })),
      })),
      stats,
      truncated,
    };
    const bytes = Buffer.byteLength(JSON.stringify(result));
    if (bytes <= resultMaxBytes || maxBytes < 1024) return result;
  }
}

async function check(
  place: Place,
  command: Parameters<Workspace['check']>[0],
): Promise<ResultOf<'evidence.check'>> {
  const store = await storeAt(place, command.repository, command.contractHead);
  const holds = { kind: 'evidence.check', holds: true, exitCode: null, output: '' } as const;
  let commitSha = await resolveCommit(store, command.branch);
  if (command.path !== null) {
    const found = await readAtCommit(store, command.branch, command.path);
    commitSha = found.commitSha;
    if (found.kind === 'missing') {
      return { ...holds, holds: false, commitSha, output: 'There is no such file.' };
    }
  }
  if (command.command === null) return { ...holds, commitSha };
  const ran = await runCheck(store, {
    ref: command.branch,
    command: command.command,
    timeoutMs: command.timeoutMs,
    maxOutputBytes: outputMaxBytes,
  });
  return {
    ...holds,
    holds: ran.exitCode === 0,
    commitSha: ran.commitSha,
    exitCode: ran.exitCode,
    output: ran.ending === 'exit' ? ran.output : `${ran.output}\n[${ran.ending}]`,
  };
}

type Head = Parameters<Workspace['clean']>[1];
/** Heads on their way here: directories of one contract go at one time, and it is fetched once for them all. */
type Arriving = Map<string, Promise<unknown>>;

interface Cleaning {
  readonly place: Place;
  readonly arriving: Arriving;
}

async function clean(
  to: Cleaning,
  record: TaskRecord,
  head: Head,
): Promise<ResultOf<'workdir.clean'>> {
  const none = { kind: 'workdir.clean', keptRefs: [] } as const;
  if (record.repository === null || record.sharedWith !== null) return { ...none, keptRefs: [] };
  if (!(await isThere(record.directory))) return { ...none, keptRefs: [] };
  const store = await storeFor(to.place, record);
  const workdir = workdirAt(store, record.directory);
  const keptRefs = await keepUnmerged(store, record, await holdersOf(to, record, head));
  await removeWorkdir(workdir);
  return { kind: 'workdir.clean', keptRefs };
}

/** What holds merged work. A head that cannot be had here holds nothing: better named once too often than never. */
async function holdersOf(
  { place, arriving }: Cleaning,
  record: TaskRecord,
  head: Head,
): Promise<string[]> {
  if (head === undefined) return branchHere(record);
  if (head === null) return [];
  const repository = withRepository(record);
  const key = `${repository.path ?? repository.url} ${head.commitSha}`;
  const arrival =
    arriving.get(key) ??
    storeAt(place, repository, head)
      .catch(() => undefined)
      .finally(() => arriving.delete(key));
  arriving.set(key, arrival);
  await arrival;
  return [head.commitSha];
}

async function keepUnmerged(
  store: Store,
  record: TaskRecord,
  mergedInto: readonly string[],
): Promise<string[]> {
  const name = { task: record.taskId, attempt: record.attempt, why: 'unmerged' };
  const { settledSha } = record;
  if (settledSha === null) {
    const kept = await keepWorkdir(workdirAt(store, record.directory), {
      ...name,
      baseSha: baseOf(record),
      mergedInto,
    });
    return [...kept.refs];
  }
  if (await isHeld(store, settledSha, mergedInto)) return [];
  return [(await keepCommit(store, settledSha, name)).ref];
}

interface FileRead {
  readonly content: string;
  readonly exists: boolean;
  readonly refused: string | null;
}

/** From the directory; where that is gone, from the branch. */
async function readTaskFile(place: Place, record: TaskRecord, filePath: string): Promise<FileRead> {
  if (record.repository !== null && !(await isThere(record.directory))) {
    return readCommitted(await storeFor(place, record), record, filePath);
  }
  const found = await readBelow(record.directory, filePath);
  switch (found.kind) {
    case 'text':
      return { content: found.content, exists: true, refused: null };
    case 'missing':
      return { content: '', exists: false, refused: null };
    case 'binary':
      return { content: '', exists: true, refused: 'binary' };
    case 'refused':
      return { content: '', exists: true, refused: found.reason };
  }
}

async function readCommitted(
  store: Store,
  record: TaskRecord,
  filePath: string,
): Promise<FileRead> {
  if (isDenied(filePath)) return { content: '', exists: true, refused: 'denied' };
  const found = await readAtCommit(store, taskRef(record.taskId, record.attempt), filePath);
  if (found.kind === 'text') return { content: found.content, exists: true, refused: null };
  const isMissing = found.kind === 'missing';
  return { content: '', exists: !isMissing, refused: isMissing ? null : found.kind };
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
