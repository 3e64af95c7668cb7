/**
 * Where a contract's branch stands in one of its repositories: every command that uses the branch names it, so that
 * no machine begins from an older copy.
 *
 * Law: the moves that were taken are the branch; a machine's copy is a copy.
 */
import type { Command, ContractHead, RepositorySpec } from '@makima/contracts/socket/commands';
import { contractBranch } from '@makima/domain/branch';
import { lastMoveAt, type RepositoryPlace } from '@makima/db/repo/branch-moves';
import { findContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import type { Queryable } from '@makima/db/client';
import type { ContractRow } from '@makima/db/rows';
import { isSamePlace } from './shown-place.ts';

export interface Headed {
  readonly contractHead?: ContractHead;
}

/** As a command has it: nothing while no merge was told of. */
export async function headOf(
  db: Queryable,
  contract: Pick<ContractRow, 'id' | 'ownerId' | 'slug'>,
  place: Pick<RepositorySpec, 'url' | 'path'>,
): Promise<Headed> {
  const { ownerId, id: contractId } = contract;
  const at = { repositoryUrl: place.url, localPath: place.path };
  const move = await lastMoveAt(db, { ownerId, contractId, place: at });
  if (move === undefined) return {};
  const branch = contractBranch(contract.slug);
  return { contractHead: { contractId, branch, commitSha: move.toSha } };
}

/** What the start of a task is told of the branch: its head; before that, where its supervisor saw it begin. */
export async function startOf(
  db: Queryable,
  contract: Pick<ContractRow, 'id' | 'ownerId' | 'slug' | 'supervisorTaskId'>,
  place: RepositoryPlace,
): Promise<Headed & { readonly branchStartSha?: string }> {
  const { ownerId, supervisorTaskId } = contract;
  const at = { url: place.repositoryUrl, path: place.localPath };
  const headed = await headOf(db, contract, at);
  if (headed.contractHead !== undefined || supervisorTaskId === null) return headed;
  const supervisor = await findTask(db, { ownerId, id: supervisorTaskId });
  return supervisor?.baseSha == null || !isSamePlace(supervisor, place)
    ? {}
    : { branchStartSha: supervisor.baseSha };
}

/** A command that cannot go without the contract's branch, with the head as it is now; any other as it is. */
export async function withHead<C extends Command>(
  db: Queryable,
  about: { readonly ownerId: string; readonly contractId: string | null },
  command: C,
): Promise<C> {
  if (about.contractId === null) return command;
  const contract = await findContract(db, { ownerId: about.ownerId, id: about.contractId });
  if (contract === undefined || !usesBranch(command, contractBranch(contract.slug))) return command;
  return { ...command, ...(await headOf(db, contract, command.repository)) };
}

/** Work of a task, or another branch, is had also where the contract's branch cannot be brought to. */
function usesBranch(
  command: Command,
  branch: string,
): command is Extract<Command, { repository: RepositorySpec } & Headed> {
  switch (command.kind) {
    case 'branch.merge':
      return command.targetBranch === branch;
    case 'branch.hand_over':
    case 'pr.open':
      return command.from === 'branch' && command.branch === branch;
    case 'branch.create':
    case 'branch.deliver':
    case 'evidence.check':
      return true;
    case 'task.start':
    case 'task.stop':
    case 'task.message':
    case 'task.checkpoint':
    case 'task.diff':
    case 'task.pack':
    case 'workdir.clean':
      return false;
  }
}
