/**
 * Trust of a repository: an owner vouches for what its own settings execute (hooks, tool servers). It holds
 * for this contract and place, from the next start of an agent on, until it is taken back.
 *
 * Law: nobody trusts unless they say so; only an owner can, no agent ever.
 */
import type { Repository } from '@makima/contracts/entity/contract';
import { distrusted, repositoriesOf, setTrust, type Trust } from '@makima/db/repo/contracts';
import type { RepositoryRow } from '@makima/db/rows';
import { lockedContract, notFound, requireOwner } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { presentRepository } from '../present/contract.ts';

export function trustRepository(
  engine: Engine,
  call: Call,
  input: { id: string; repositoryId: string; trusted: boolean },
): Promise<Acted<Repository>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'trust repositories');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    const about = { ownerId: a.ownerId, contractId: contract.id };
    const row = (await repositoriesOf(a.tx, about)).find(({ id }) => id === input.repositoryId);
    if (row === undefined) throw notFound('repository', input.repositoryId);
    if ((row.trustedAt !== null) === input.trusted) return presentRepository(row);
    const trust = input.trusted ? trustOf(a) : distrusted;
    const changed = await setTrust(a.tx, { ...about, id: row.id, trust });
    if (changed === undefined) throw notFound('repository', row.id);
    tellTrust(a, changed);
    return presentRepository(changed);
  });
}

/** @throws FORBIDDEN unless the caller is an owner. */
export function trustOf(a: Act): Trust {
  const owner = requireOwner(a.caller, 'trust repositories');
  return { trustedByUserId: owner.userId, trustedBy: owner.name, trustedAt: a.now };
}

/** The event and the audit of who said so. */
export function tellTrust(a: Act, row: RepositoryRow): void {
  const trusted = row.trustedAt !== null;
  a.emit(trusted ? 'repository.trusted' : 'repository.distrusted', {
    contractId: row.contractId,
    data: { repositoryId: row.id, name: row.name },
  });
  a.audit(
    trusted ? 'repository.trust' : 'repository.distrust',
    'done',
    { kind: 'repository', id: row.id },
    { contractId: row.contractId, name: row.name },
  );
}
