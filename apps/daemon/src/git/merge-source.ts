/**
 * A task's commit into a branch of the person's own repository, such as `main`: merged in the store, then their
 * branch moves forward to the result.
 *
 * Law: their branch moves from where it was seen, or not at all; their files move with it only where it is
 * checked out and clean. What cannot be done is an answer with its reason, and leaves nothing behind.
 *
 * export mergeIntoSource(store, options: MergeSourceOptions): Promise<MergeResult>
 */
import { MakimaError } from '@makima/domain/error';
import { updateRefs } from './commit.ts';
import { moveTheirBranch } from './deliver.ts';
import { refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { mergeCommits, mustResolve, type MergeOptions, type MergeResult } from './merge.ts';
import { assertBranch, landingRef } from './names.ts';
import { recordedResult, recordResult } from './operation-record.ts';
import { refreshStore, resolveCommit, type Store } from './store.ts';

export interface MergeSourceOptions extends MergeOptions {
  /** Which branches may move: any that the repository has, or its default one alone. */
  readonly allowed: 'any' | 'default';
}

export async function mergeIntoSource(
  store: Store,
  options: MergeSourceOptions,
): Promise<MergeResult> {
  const branch = assertBranch(options.targetBranch);
  const { operationId } = options;
  const { source } = store;
  if (source.kind !== 'local')
    throw refuse('not_local', 'A branch of a remote repository changes by a pull request');
  const { defaultBranch } = await refreshStore(store);
  if (options.allowed === 'default' && branch !== defaultBranch) throw notAllowed(branch);
  return withRepoLock(store.dir, async () => {
    const former = await recordedResult<MergeResult>(store, operationId);
    if (former !== null) return former;
    const seen = `refs/remotes/origin/${branch}`;
    const ours = await resolveCommit(store, seen);
    if (ours === null) throw noBranch(branch);
    const theirs = await mustResolve(store, options.source, 'The work to merge');
    const { result, commitSha } = await mergeCommits(store, { ...options, ours, theirs });
    if (commitSha === null) {
      await recordResult(store, operationId, result);
      return result;
    }
    const landing = landingRef(operationId);
    await updateRefs(store, [`update ${landing} ${commitSha}`]);
    const move = { repositoryPath: source.path, branch, ref: landing, sha: commitSha };
    const step = await moveTheirBranch(store, move).catch(async (error: unknown) => {
      await updateRefs(store, [`delete ${landing}`]);
      throw error;
    });
    const end = step.done
      ? result
      : { success: false, message: step.note, commitSha: null, conflicts: [] };
    const moves = step.done ? [`update ${seen} ${commitSha} ${ours}`] : [];
    await recordResult(store, operationId, end, [...moves, `delete ${landing}`]);
    return end;
  });
}

function notAllowed(branch: string): MakimaError {
  return new MakimaError('FORBIDDEN', `merging into ${branch} needs the owner's permission`, {
    fix: 'merge into the contract’s branch, or ask a person',
  });
}

function noBranch(branch: string): MakimaError {
  const detail = `the repository has no branch ${branch}`;
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer: '/targetBranch', detail }] },
    fix: 'merge into the contract’s branch',
  });
}
