/**
 * What a task's completion action must satisfy when the task is spawned: it could be done, and whoever asks for
 * it may have it.
 *
 * Law: an action happens when nobody looks: what needs a person's leave has it beforehand, or is refused here.
 */
import type { SpawnInput } from '@makima/contracts/entity/task';
import { belongsTo, contractBranch, isBranch } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import { repositoriesOf } from '@makima/db/repo/contracts';
import type { ContractRow, RepositoryRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { checkRepositoryPlace } from '../contract/repository-place.ts';
import { assertPossible, standingLeave } from '../operation/merge.ts';
import { assertMayPush } from '../operation/pull-request.ts';

type Input = Pick<SpawnInput, 'completionAction' | 'targetBranch' | 'targetRepoPath'>;

export async function checkCompletion(
  a: Act,
  contract: ContractRow,
  repository: RepositoryRow,
  input: Input,
): Promise<void> {
  const { completionAction: action, targetBranch, targetRepoPath } = input;
  if (targetBranch !== undefined && !isBranch(targetBranch))
    throw refused('/targetBranch', 'this is not a usable branch name');
  if (targetRepoPath !== undefined) await checkTargetPath(a, contract, action, targetRepoPath);
  const byAgent = a.caller.kind === 'agent';
  switch (action) {
    case 'none':
      return;
    case 'branch':
      return checkBranch(contract, targetBranch);
    case 'merge': {
      const target = targetBranch ?? contractBranch(contract.slug);
      assertPossible(repository, target);
      if (byAgent && standingLeave(contract, repository, target).kind === 'none')
        throw needsLeave(`merging into ${target}`, 'makima_merge');
      return;
    }
    case 'pr':
      assertMayPush(contract);
      if (byAgent && !contract.allowPullRequests)
        throw needsLeave('opening a pull request', 'makima_pr');
      return checkBranch(contract, targetBranch);
  }
}

/** Work is handed over under one of the contract's names. */
function checkBranch(contract: ContractRow, targetBranch: string | undefined): void {
  const own = contractBranch(contract.slug);
  if (targetBranch === undefined) return;
  if (belongsTo(contract.slug, targetBranch) && targetBranch !== own) return;
  throw refused('/targetBranch', `a branch beside the contract's: ${own}.<name>`);
}

async function checkTargetPath(
  a: Act,
  contract: ContractRow,
  action: Input['completionAction'],
  path: string,
): Promise<void> {
  if (action !== 'branch' && action !== 'merge')
    throw refused('/targetRepoPath', `only for the completion actions branch and merge`);
  try {
    checkRepositoryPlace({ localPath: path });
  } catch {
    throw refused('/targetRepoPath', 'must be an absolute path on the machine of the task');
  }
  if (a.caller.kind !== 'agent') return;
  const known = await repositoriesOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (known.some(({ localPath }) => localPath === path)) return;
  throw refused('/targetRepoPath', 'must be one of the contract’s repositories');
}

function needsLeave(what: string, tool: string): MakimaError {
  return new MakimaError('FORBIDDEN', `${what} by itself needs the owner's permission`, {
    fix: `spawn it without, and call ${tool} when it is done: a person is asked`,
  });
}

function refused(pointer: string, detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer, detail }] },
  });
}
