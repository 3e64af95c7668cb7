/**
 * The working directory of an attempt: which store, which commit, which directory.
 *
 * Law: a resumed conversation goes on in its directory as it was left; a task that begins anew gets a new
 * one; a supervisor keeps its own, since its tasks may share it, unless a person takes it back to a checkpoint.
 * A directory that is older than the task's work is not gone on with: work was done elsewhere since.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MakimaError } from '@makima/domain/error';
import type { ContractHead, RepositorySpec, TaskStart } from '@makima/contracts/socket/commands';
import { makimaIdentity } from '../git/commit.ts';
import { refuse } from '../git/failure.ts';
import { taskRef } from '../git/names.ts';
import type { RemoteAccess } from '../git/credentials.ts';
import {
  ensureBranch,
  openStore,
  refreshStore,
  resolveCommit,
  type Store,
  type StoreState,
} from '../git/store.ts';
import { keepWorkdir } from '../git/keep.ts';
import { workdirAt } from '../git/shadow.ts';
import { standAt } from '../git/stand.ts';
import {
  prepareWorkdir,
  removeWorkdir,
  standingWorkdir,
  type Prepared as Made,
  type WorkStart,
} from '../git/workdir.ts';
import { collectWork } from './collect.ts';
import type { CarriedBranch, Prepared, PrepareOptions, TaskRecord } from './port.ts';

export interface Place {
  /** Folder of stores, shadows and working directories. */
  readonly home: string;
  readonly allowHosts: readonly string[];
  /** What this machine has to open repositories of a host by https. */
  readonly accessTo: (host: string) => Promise<RemoteAccess | null>;
  /** What carries a contract's branch to here. */
  readonly fetchBranch: (head: ContractHead, signal?: AbortSignal) => Promise<CarriedBranch>;
}

/** Fetches what is new at the source. */
export function refreshed(place: Place, store: Store, signal?: AbortSignal): Promise<StoreState> {
  const { allowHosts, accessTo } = place;
  return refreshStore(store, { allowHosts, accessTo, ...(signal === undefined ? {} : { signal }) });
}

export async function prepareTask(
  place: Place,
  start: TaskStart,
  options: PrepareOptions,
): Promise<Prepared> {
  const former = await options.recordOf(start.taskId);
  if (start.supervisorWorktreeTaskId !== null)
    return shared(start.supervisorWorktreeTaskId, options);
  const directory = await directoryOf(place, start, former);
  if (start.repository === null) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const stays = former === null ? null : await leftAlone(former, directory);
    return {
      directory,
      branch: start.branch,
      sharedWith: null,
      baseSha: null,
      notCopied: [],
      ...(stays === null ? {} : { stays }),
    };
  }
  const store = await storeAt(place, start.repository, start.contractHead, options.signal);
  // Where its branch once began is nothing to who goes on: its source may be away.
  const prepared =
    (await standingWorkdir(workdirAt(store, directory))) ??
    (await made({ place, store, directory }, start, options));
  options.signal.throwIfAborted();
  const stays = former === null ? null : await retired({ store, directory }, former, options);
  return {
    directory: prepared.workdir.dir,
    branch: prepared.branch,
    sharedWith: null,
    baseSha: prepared.startSha,
    notCopied: prepared.copied.notCopied,
    ...(stays === null ? {} : { stays }),
  };
}

async function made(ground: Ground, start: TaskStart, options: PrepareOptions): Promise<Made> {
  const { place, store, directory } = ground;
  await prepareBranches(place, store, start, options.signal);
  const from = start.repository?.path ?? null;
  return prepareWorkdir({
    store,
    dir: directory,
    branch: start.branch,
    start: await workStart(ground, start, options),
    identity: makimaIdentity,
    ...(from === null || start.copyFiles.length === 0
      ? {}
      : { copy: { from, paths: start.copyFiles } }),
  });
}

/** The directory of a former attempt: what it holds is kept, then it goes. What cannot be kept stays where it is. */
async function retired(
  present: Pick<Ground, 'store' | 'directory'>,
  former: TaskRecord,
  { isLivedIn }: PrepareOptions,
): Promise<Prepared['stays'] | null> {
  const { directory, baseSha, taskId: task, attempt } = former;
  if (!(await isLeft(former, present.directory)) || baseSha === null) return null;
  const workdir = workdirAt(present.store, directory);
  try {
    const isKept = former.settledSha !== null;
    if (!isKept) await keepWorkdir(workdir, { task, attempt, baseSha, why: 'retired' });
    if (await isLivedIn(directory)) return { directory, reason: 'an agent works there' };
    await removeWorkdir(workdir);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    return { directory, reason: `what it holds could not be kept (${reason})` };
  }
}

/** Without a repository there is no place to keep it in. */
async function leftAlone(former: TaskRecord, present: string): Promise<Prepared['stays'] | null> {
  const { directory } = former;
  if (!(await isLeft(former, present)) || (await readdir(directory)).length === 0) return null;
  return { directory, reason: 'the task has no repository to keep it in' };
}

/** It is its own, is there, and is not gone on with. */
async function isLeft({ directory, sharedWith }: TaskRecord, present: string): Promise<boolean> {
  return directory !== present && sharedWith === null && (await isThere(directory));
}

export function storeOf(place: Place, spec: RepositorySpec, signal?: AbortSignal): Promise<Store> {
  const source = spec.path ?? spec.url;
  if (source === null) throw new MakimaError('MISSING_REPO_URL', 'The task names no repository.');
  return openStore({
    home: place.home,
    source,
    allowLocal: spec.path !== null,
    allowHosts: place.allowHosts,
    accessTo: place.accessTo,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The store, with the contract's branch where it stands. */
export async function storeAt(
  place: Place,
  spec: RepositorySpec,
  head: ContractHead | undefined,
  signal?: AbortSignal,
): Promise<Store> {
  const store = await storeOf(place, spec, signal);
  if (head !== undefined)
    await standAt(store, head.branch, head.commitSha, {
      fetch: () => place.fetchBranch(head, signal),
      refresh: () => refreshed(place, store, signal),
    });
  return store;
}

async function shared(supervisorTaskId: string, options: PrepareOptions): Promise<Prepared> {
  const theirs = await options.recordOf(supervisorTaskId);
  if (theirs === null) {
    throw refuse('directory_missing', "The supervisor's directory is not on this machine");
  }
  const { directory, branch, baseSha } = theirs;
  return { directory, branch, baseSha, sharedWith: supervisorTaskId, notCopied: [] };
}

async function directoryOf(
  place: Place,
  start: TaskStart,
  former: TaskRecord | null,
): Promise<string> {
  const goesOn = start.checkpointSha === undefined && (start.resumeSession || start.isSupervisor);
  // Without a repository nothing of it travels: what stands here is all that there is.
  const since = start.repository === null ? 0 : (start.workAttempt ?? 0);
  if (
    goesOn &&
    former !== null &&
    former.attempt >= since &&
    former.sharedWith === null &&
    (await isThere(former.directory))
  ) {
    return former.directory;
  }
  return join(place.home, 'work', `${start.taskId}-a${start.attempt}`);
}

/** The contract's branch stands in the store, and so does where the task starts. */
async function prepareBranches(
  place: Place,
  store: Store,
  start: TaskStart,
  signal: AbortSignal,
): Promise<void> {
  const { contractBranch, startSha } = start;
  const has = async (name: string | null): Promise<boolean> =>
    name === null || (await resolveCommit(store, name)) !== null;
  if ((await has(contractBranch)) && (await has(startSha)) && contractBranch !== null) return;
  const { defaultBranch } = await refreshed(place, store, signal);
  const base = start.repository?.baseBranch ?? defaultBranch;
  if (contractBranch === null) return;
  // Machines that begin it at different times begin it at one commit.
  const known = start.branchStartSha ?? null;
  const begun = known === null ? null : await resolveCommit(store, known);
  const baseSha = begun ?? (base === null ? null : await resolveCommit(store, base));
  if (baseSha === null) throw base === null ? noBase() : noBranch(base);
  await ensureBranch(store, contractBranch, baseSha);
}

interface Ground {
  readonly place: Place;
  readonly store: Store;
  readonly directory: string;
}

async function workStart(
  { place, store, directory }: Ground,
  start: TaskStart,
  options: PrepareOptions,
): Promise<WorkStart> {
  const { checkpointSha } = start;
  if (checkpointSha !== undefined && (await resolveCommit(store, checkpointSha)) !== null)
    return { kind: 'checkpoint', sha: checkpointSha };
  if (start.patchCheckpointId !== null && !(await isThere(directory))) {
    const patch = await options.fetchPatch();
    if (patch !== null) return { kind: 'patch', ...patch };
  }
  if (start.startSha !== null) return { kind: 'commit', ref: start.startSha };
  if (start.continueFromTaskId !== null)
    return continuation(store, await options.recordOf(start.continueFromTaskId));
  if (start.startBranch !== undefined) return branchStart(place, store, start.startBranch, options);
  if (start.contractBranch !== null) return { kind: 'commit', ref: start.contractBranch };
  const { defaultBranch } = await refreshed(place, store, options.signal);
  const base = start.repository?.baseBranch ?? defaultBranch;
  if (base === null) throw noBase();
  if ((await resolveCommit(store, base)) === null) throw noBranch(base);
  return { kind: 'commit', ref: base };
}

/** The work of another task as it stands: its commits, and on top what it left uncommitted. */
async function continuation(store: Store, from: TaskRecord | null): Promise<WorkStart> {
  const late = from !== null && !from.collected && (await isThere(from.directory));
  const collected = late
    ? await collectWork(store, from, { leftovers: 'keep', why: 'left' })
    : null;
  const tip = from === null ? null : await resolveCommit(store, taskRef(from.taskId, from.attempt));
  const leftover = collected?.leftoverSha ?? from?.leftoverSha ?? null;
  if (leftover !== null && (await resolveCommit(store, leftover)) !== null)
    return { kind: 'checkpoint', sha: leftover };
  if (tip !== null) return { kind: 'commit', ref: tip };
  throw refuse(
    'base_missing',
    'The work of the task to continue from is not on this machine',
    'Continue from a task whose machine is there, or begin at a commit that was merged or pushed',
  );
}

/** A branch of the source, as new as can be had. */
async function branchStart(
  place: Place,
  store: Store,
  branch: string,
  { signal }: PrepareOptions,
): Promise<WorkStart> {
  await refreshed(place, store, signal);
  if ((await resolveCommit(store, branch)) !== null) return { kind: 'commit', ref: branch };
  throw noBranch(branch);
}

function noBranch(branch: string): MakimaError {
  return refuse(
    'branch_missing',
    `The repository has no branch ${branch}`,
    'Make that branch, or name one that is there',
  );
}

function noBase(): MakimaError {
  return refuse(
    'branch_missing',
    'The repository does not say which branch is its default',
    'Name the base branch of the contract',
  );
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
