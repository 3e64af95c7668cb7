/**
 * Branches of the workspace: made, merged, sent to other machines, brought to the person.
 *
 * Law: translates, decides nothing about git.
 */
import { stat } from 'node:fs/promises';
import { MakimaError } from '@makima/domain/error';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { createBranch } from '../git/branch.ts';
import { changedPaths } from '../git/changed-paths.ts';
import { publicBase } from '../git/commit.ts';
import { deliverBranch } from '../git/deliver.ts';
import { mergeInto, type MergeResult } from '../git/merge.ts';
import { mergeIntoSource } from '../git/merge-source.ts';
import { taskRef } from '../git/names.ts';
import { makePack, takePack } from '../git/pack.ts';
import { workdirAt } from '../git/shadow.ts';
import { readStoreState, type Store } from '../git/store.ts';
import { takeCommits } from '../git/take.ts';
import { refreshed, storeAt, storeOf, type Place } from './prepare.ts';
import { openPullRequest } from './pull-request.ts';
import type { MergeSources, ResultOf, TaskRecord, Workspace } from './port.ts';

type Branches = Pick<
  Workspace,
  'merge' | 'pack' | 'packCommit' | 'branch' | 'handOver' | 'propose' | 'deliver'
>;

export function gitBranches(place: Place): Branches {
  return {
    merge: (command, sources) => merge(place, command, sources),
    async pack(living, command, maxBytes) {
      const store = await storeOf(place, command.repository);
      await takeNewest(store, living);
      return makePack(store, taskRef(command.taskId, command.attempt), maxBytes);
    },
    async packCommit(repository, commitSha, maxBytes) {
      const store = await storeOf(place, repository);
      return (await makePack(store, commitSha, maxBytes)).pack;
    },
    async branch(living, command) {
      const store = await storeAt(place, command.repository, command.contractHead);
      await takeNewest(store, living);
      const { operationId, branch, fromRef, contractBranch, taskId, attempt } = command;
      const from = fromRef === null ? [taskRef(taskId, attempt), contractBranch] : [fromRef];
      const made = await createBranch(store, { operationId, branch, from });
      return { kind: 'branch.create', ...made };
    },
    handOver: (living, command) => handOver(place, living, command),
    propose: (command, use) => openPullRequest(place, command, use),
    deliver: (command) => deliver(place, command),
  };
}

async function merge(
  place: Place,
  command: CommandOf<'branch.merge'>,
  sources: MergeSources,
): Promise<ResultOf<'branch.merge'>> {
  const store = await storeAt(place, command.repository, command.contractHead);
  const source = taskRef(command.taskId, command.attempt);
  await takeNewest(store, sources.living);
  if (command.pack !== undefined) {
    const { commitSha } = command.pack;
    const refresh = () => refreshed(place, store);
    await takePack(store, { commitSha, pack: await sources.fetchPack(), ref: source, refresh });
  }
  const { operationId, targetBranch, message } = command;
  const how: 'squash' | 'merge' = command.squash ? 'squash' : 'merge';
  const wanted = { operationId, source, targetBranch, how, message, watch: command.watch ?? [] };
  const allowed = command.defaultOnly === true ? 'default' : 'any';
  const merged = targetBranch.startsWith('makima/')
    ? await mergeInto(store, wanted)
    : await mergeIntoSource(store, { ...wanted, allowed });
  const conflicts = merged.conflicts.map((one) => ({ ...one, hunks: [...one.hunks] }));
  const { moved: _, ...rest } = merged;
  const moved = await moveToTell(store, command, merged);
  return {
    kind: 'branch.merge',
    ...rest,
    conflicts,
    ...(moved === undefined ? {} : { moved }),
  };
}

/**
 * The move from the head that the control plane knows. Also when this merge found its work in the contract's branch:
 * a merge that was given up before it was told of may have brought it in, and nobody else would hear of it.
 */
async function moveToTell(
  store: Store,
  { contractHead, targetBranch, carry, watch = [] }: CommandOf<'branch.merge'>,
  { success, moved, commitSha: to }: MergeResult,
): Promise<ResultOf<'branch.merge'>['moved']> {
  const head = contractHead?.branch === targetBranch ? contractHead.commitSha : null;
  const onto = head === null ? {} : { onto: head };
  if (moved !== undefined) return { ...moved, changed: [...moved.changed], ...onto };
  if (carry !== true || !success || to === null) return undefined;
  const from = head ?? (await publicBase(store, to));
  return from === to
    ? undefined
    : { from, ...onto, ...(await changedPaths(store, from, to, watch)) };
}

/** The commits that an agent has made, or left, since they were last taken over. */
async function takeNewest(store: Store, living: TaskRecord | null): Promise<void> {
  if (living === null || !(await isThere(living.directory))) return;
  const { taskId: task, attempt } = living;
  await takeCommits(workdirAt(store, living.directory), { task, attempt });
}

async function handOver(
  place: Place,
  living: TaskRecord | null,
  command: CommandOf<'branch.hand_over'>,
): Promise<ResultOf<'branch.hand_over'>> {
  const store = await storeAt(place, command.repository, command.contractHead);
  await takeNewest(store, living);
  const { operationId, branch, taskId, attempt, toPath } = command;
  const from = command.from === 'task' ? taskRef(taskId, attempt) : `refs/heads/${branch}`;
  const { commitSha } = await createBranch(store, { operationId, branch, from: [from] });
  if (toPath === null)
    return { kind: 'branch.hand_over', branch, commitSha, note: `${branch} stands on the machine` };
  const { commitSha: brought, note } = await deliverBranch(store, {
    repositoryPath: toPath,
    branch,
  });
  return { kind: 'branch.hand_over', branch, commitSha: brought, note };
}

async function deliver(
  place: Place,
  command: CommandOf<'branch.deliver'>,
): Promise<ResultOf<'branch.deliver'>> {
  const { path, baseBranch } = command.repository;
  if (path === null) {
    throw new MakimaError('COMMAND_FAILED', 'The contract has no local repository to deliver to.');
  }
  const store = await storeAt(place, command.repository, command.contractHead);
  const base = baseBranch ?? (await readStoreState(store)).defaultBranch;
  const { branch, commitSha, baseMoved, note } = await deliverBranch(store, {
    repositoryPath: path,
    branch: command.branch,
    ...(command.fastForwardBase && base !== null ? { fastForward: base } : {}),
  });
  return { kind: 'branch.deliver', branch, commitSha, baseMoved, note };
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
