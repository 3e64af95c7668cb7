/**
 * What a spawn must satisfy beside its caller: the limits, the tasks that it names, its repository, and that
 * directory, beginning and files fit together.
 *
 * Law: what could never start, or would start from something else than was asked for, is refused here.
 */
import type { SpawnInput } from '@makima/contracts/entity/task';
import { mayBeginAt } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import { checkSpawn, needsVerdict } from '@makima/domain/task';
import { repositoriesOf } from '@makima/db/repo/contracts';
import { lockEnds } from '@makima/db/repo/locks';
import { spawnCounts, tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, RepositoryRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { notFound } from '../authorize.ts';

export async function checkCounts(
  a: Act,
  contract: ContractRow,
  input: SpawnInput,
  parent: TaskRow | null,
): Promise<void> {
  const counts = await spawnCounts(a.tx, {
    contractId: contract.id,
    parentTaskId: parent?.id ?? null,
  });
  const verdict = checkSpawn(
    {
      ...counts,
      depth: (parent?.depth ?? -1) + 1,
      planBytes: Buffer.byteLength(input.plan),
      needsCount: input.needs.length,
    },
    a.engine.limits,
  );
  if (verdict.ok) return;
  throw new MakimaError('LIMIT_EXCEEDED', verdict.reason, {
    retryable: verdict.retryable,
    details: { limit: verdict.limit, max: verdict.max, actual: verdict.actual },
    fix: verdict.retryable
      ? 'wait for running tasks to end, then spawn again'
      : 'spawn fewer or smaller tasks',
  });
}

/**
 * The tasks that it names are of its contract, and can still become what it needs; so is the branch where it
 * begins, when an agent names one of makima's. Answers its source.
 */
export async function checkOthers(
  a: Act,
  contract: ContractRow,
  input: SpawnInput,
): Promise<TaskRow | undefined> {
  const { needs, continueFromTaskId: from, baseBranch } = input;
  const asker = a.caller.kind === 'agent' ? 'agent' : 'person';
  if (baseBranch !== undefined && !mayBeginAt(contract.slug, asker, baseBranch)) {
    throw wrong('/baseBranch', 'a branch, a tag or a commit id', {
      what: 'a task cannot begin there',
      fix: 'name a branch of the repository, or one of this contract',
    });
  }
  const ids = [...needs, ...(from === undefined ? [] : [from])];
  if (ids.length === 0) return undefined;
  await lockEnds(a.tx, { taskIds: needs });
  const found = await tasksByIds(a.tx, { ownerId: a.ownerId, ids });
  for (const id of ids) {
    if (!found.some((task) => task.id === id && task.contractId === contract.id))
      throw notFound('task', id);
  }
  const needed = found.filter((task) => needs.includes(task.id));
  const verdict = needsVerdict(
    needed.map(({ id, name, status }) => ({ taskId: id, name, status })),
  );
  if (verdict.kind === 'never') {
    const dead = verdict.because.map(({ name, status }) => `${name} is ${status}`).join(', ');
    throw wrong('/needs', `will never be complete: ${dead}`, {
      what: `it could never start: ${dead}`,
      fix: 'spawn what is needed again, then name that',
    });
  }
  return found.find((task) => task.id === from);
}

/** Where it works and what it starts from fit together. */
export function checkDirectory(contract: ContractRow, input: SpawnInput): void {
  if (input.continueFromTaskId !== undefined && input.checkpointSha !== undefined) {
    throw wrong('/checkpointSha', 'says another beginning than continueFromTaskId', {
      what: 'a task begins at one commit',
      fix: 'give continueFromTaskId or checkpointSha',
    });
  }
  if (input.ownWorktree) return;
  if (contract.supervisorTaskId === null) {
    throw wrong('/ownWorktree', 'the contract has no supervisor whose directory could be shared', {
      what: 'there is no directory to share',
      fix: `start its supervisor: makima contracts start ${contract.slug}`,
    });
  }
  const made = [
    ['checkpointSha', input.checkpointSha],
    ['continueFromTaskId', input.continueFromTaskId],
    ['baseBranch', input.baseBranch],
    ['copyFiles', input.copyFiles[0]],
  ].find(([, value]) => value !== undefined);
  if (made === undefined) return;
  throw wrong(`/${made[0]}`, 'is of a directory of its own, and this task shares one', {
    what: 'the supervisor’s directory is taken as it is',
    fix: `leave ${made[0]} out, or give the task a directory of its own`,
  });
}

/** Files are copied from the person's folder; a repository that is fetched has none. */
export function checkCopies(repository: RepositoryRow, input: SpawnInput): void {
  if (input.copyFiles.length === 0 || repository.localPath !== null) return;
  throw wrong('/copyFiles', 'the repository is fetched from its address: there is no folder', {
    what: 'there is nothing to copy files from',
    fix: 'leave copyFiles out, or add the repository by its path on the machine',
  });
}

function wrong(
  pointer: string,
  detail: string,
  said: { readonly what: string; readonly fix: string },
): MakimaError {
  return new MakimaError('VALIDATION_FAILED', said.what, {
    details: { errors: [{ pointer, detail }] },
    fix: said.fix,
  });
}

export interface WantedRepository {
  /** URL, path or name. */
  readonly asked: string | undefined;
  /** The task that it continues from. */
  readonly source: TaskRow | undefined;
}

/** Named explicitly, else the one of the work that it continues, else the contract's primary or first (M2.3). */
export async function chooseRepository(
  a: Act,
  contract: ContractRow,
  { asked, source }: WantedRepository,
): Promise<RepositoryRow> {
  const all = await repositoriesOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  const theirs = all.find((repository) => source !== undefined && isOf(source, repository));
  const chosen =
    asked === undefined
      ? (theirs ?? all[0])
      : all.find((r) => r.repositoryUrl === asked || r.localPath === asked || r.name === asked);
  if (chosen === undefined) {
    throw new MakimaError(
      'MISSING_REPO_URL',
      asked === undefined
        ? 'the contract has no repository'
        : 'the contract does not have this repository',
      {
        fix: `add it: POST /api/v1/contracts/${contract.id}/repositories`,
        details: { repositories: all.map((r) => r.name) },
      },
    );
  }
  if (source === undefined || isOf(source, chosen)) return chosen;
  throw wrong('/repositoryUrl', 'is not the repository of the task to continue from', {
    what: `the work of ${source.name} lies in another repository`,
    fix: 'leave repositoryUrl out',
  });
}

const isOf = (task: TaskRow, repository: RepositoryRow): boolean =>
  task.repositoryUrl === repository.repositoryUrl && task.localPath === repository.localPath;
