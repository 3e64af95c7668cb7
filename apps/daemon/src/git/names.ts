/**
 * Names: what may be a branch, a ref, a commit id, a path segment, and the names that makima builds.
 *
 * Law: a name that is not accepted here never reaches git's argument list. Names that makima makes are
 * lower case; names that a repository already has may be anything that git itself accepts without tricks.
 *
 * export assertNewBranch(name): string          for branches we create
 * export assertBranch(name): string             for branches that exist in a repository
 * export isBranch(name): boolean
 * export assertRef(ref): string                 full ref, `refs/…`
 * export assertSha(sha): string                 full object id, lower case hex
 * export isSha(text): boolean
 * export contractBranch(slug), taskBranch(slug, task, attempt): string     branch names
 * export taskRef(task, attempt), checkpointRef(task, number), keptRef(task, attempt, why?),
 *        operationRef(operationId), landingRef(operationId), pushedRef(branch), carriedRef(branch),
 *        strayedRef(branch, sha): string   full refs of the store
 * export publicRefs: readonly string[]          where the source's own branches and tags stand in a store
 */
import { isBranch, isCommitId, isNewBranch } from '@makima/domain/branch';
import { invalid } from './failure.ts';

export { isBranch };

const segmentPattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

export const publicRefs = ['refs/remotes/origin', 'refs/tags'] as const;

export function isSha(text: string): boolean {
  return isCommitId(text);
}

export function assertSha(sha: string): string {
  if (typeof sha !== 'string' || !isSha(sha)) {
    throw invalid(
      'sha',
      'not_a_commit_id',
      'A commit is named by its full id, 40 or 64 hex digits',
    );
  }
  return sha;
}

export function assertNewBranch(name: string): string {
  if (typeof name !== 'string' || !isNewBranch(name)) {
    throw invalid(
      'branchName',
      'bad_branch_name',
      'A branch name has lower case letters, digits and . _ / - and starts with a letter or digit',
    );
  }
  return name;
}

export function assertBranch(name: string): string {
  if (typeof name !== 'string' || !isBranch(name)) {
    throw invalid('branchName', 'bad_branch_name', 'This is not a usable branch name');
  }
  return name;
}

export function assertRef(ref: string): string {
  const inner = typeof ref === 'string' && ref.startsWith('refs/') ? ref.slice(5) : '';
  if (!isBranch(inner) || !inner.includes('/')) {
    throw invalid('ref', 'bad_ref', 'This is not a usable ref name');
  }
  return ref;
}

export function contractBranch(slug: string): string {
  return `makima/${segment(slug, 'slug')}`;
}

export function taskBranch(slug: string, task: string, attempt: number): string {
  return `${contractBranch(slug)}/${taskPart(task, attempt)}`;
}

export function taskRef(task: string, attempt: number): string {
  return `refs/makima/tasks/${taskPart(task, attempt)}`;
}

export function checkpointRef(task: string, number: number): string {
  return `refs/makima/checkpoints/${segment(task, 'task')}/${positive(number, 'number')}`;
}

export function keptRef(task: string, attempt: number, why?: string): string {
  const suffix = why === undefined ? '' : `-${segment(why, 'why')}`;
  return `refs/makima/kept/${taskPart(task, attempt)}${suffix}`;
}

export function operationRef(operationId: string): string {
  return `refs/makima/operations/${segment(operationId, 'operationId')}`;
}

/** Where a commit stands while it is brought to the person's repository. */
export function landingRef(operationId: string): string {
  return `refs/makima/landing/${segment(operationId, 'operationId')}`;
}

/** The commit of ours that was last pushed to this branch of the remote repository. */
export function pushedRef(branch: string): string {
  return `refs/makima/pushed/${assertNewBranch(branch)}`;
}

/** A branch as it came from another machine. */
export function carriedRef(branch: string): string {
  return `refs/makima/carried/${assertNewBranch(branch)}`;
}

/** Where this machine's copy of a branch stood when the branch itself had gone another way. */
export function strayedRef(branch: string, sha: string): string {
  return `refs/makima/strayed/${assertNewBranch(branch)}-${assertSha(sha).slice(0, 12)}`;
}

function taskPart(task: string, attempt: number): string {
  return `${segment(task, 'task')}-a${positive(attempt, 'attempt')}`;
}

function segment(text: string, field: string): string {
  if (typeof text !== 'string' || !segmentPattern.test(text)) {
    throw invalid(field, 'bad_name', `${field} has lower case letters, digits and - only`);
  }
  return text;
}

function positive(value: number, field: string): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw invalid(field, 'not_positive', `${field} is a whole number from 1`);
  }
  return value;
}
