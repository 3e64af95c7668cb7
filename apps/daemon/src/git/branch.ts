/**
 * A branch of makima's in the store, beside a contract's own.
 *
 * Law: a branch that stands is never moved by being made again; the same operation answers the same.
 *
 * export createBranch(store, options: BranchOptions): Promise<MadeBranch>
 */
import { MakimaError } from '@makima/domain/error';
import { withRepoLock } from './lock.ts';
import { assertNewBranch } from './names.ts';
import { recordedResult, recordResult } from './operation-record.ts';
import { resolveCommit, type Store } from './store.ts';

export interface BranchOptions {
  readonly operationId: string;
  readonly branch: string;
  /** Branch, tag, full ref or commit id of the store; the first of them that is there. */
  readonly from: readonly string[];
}

export interface MadeBranch {
  readonly branch: string;
  readonly commitSha: string;
  readonly created: boolean;
}

export async function createBranch(store: Store, options: BranchOptions): Promise<MadeBranch> {
  const branch = assertNewBranch(options.branch);
  const ref = `refs/heads/${branch}`;
  return withRepoLock(store.dir, async () => {
    const former = await recordedResult<MadeBranch>(store, options.operationId);
    if (former !== null) return former;
    const commitSha = await firstOf(store, options.from);
    if (commitSha === null) throw nothingThere();
    const present = await resolveCommit(store, ref);
    if (present !== null && present !== commitSha) throw taken(branch, present);
    const made = { branch, commitSha, created: present === null };
    const moves = made.created ? [`create ${ref} ${commitSha}`] : [];
    await recordResult(store, options.operationId, made, moves);
    return made;
  });
}

async function firstOf(store: Store, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const sha = await resolveCommit(store, name);
    if (sha !== null) return sha;
  }
  return null;
}

function nothingThere(): MakimaError {
  const detail = 'there is no such branch, tag or commit on the machine';
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer: '/fromRef', detail }] },
    fix: 'name a branch of the repository, a branch of this contract or a full commit id',
  });
}

function taken(branch: string, commitSha: string): MakimaError {
  return new MakimaError('CONFLICT', `${branch} is there already, at another commit`, {
    details: { branch, commitSha },
    fix: 'take another name, or go on with that branch',
  });
}
