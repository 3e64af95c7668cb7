/** The repository that evidence and validators look at: a contract's first one. What moves in another touches neither. */
import { repositoriesOf } from '@makima/db/repo/contracts';
import type { RepositoryPlace } from '@makima/db/repo/branch-moves';
import type { Queryable } from '@makima/db/client';
import type { ContractRow } from '@makima/db/rows';

export async function shownPlace(
  db: Queryable,
  contract: Pick<ContractRow, 'id' | 'ownerId'>,
): Promise<RepositoryPlace | undefined> {
  const { ownerId, id: contractId } = contract;
  return (await repositoriesOf(db, { ownerId, contractId }))[0];
}

export function isSamePlace(a: RepositoryPlace, b: RepositoryPlace): boolean {
  return a.repositoryUrl === b.repositoryUrl && a.localPath === b.localPath;
}
