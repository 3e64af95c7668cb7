/** The contract of code that is to be changed: held, so that it goes on working meanwhile. */
import { MakimaError } from '@makima/domain/error';
import { mayWork } from '@makima/domain/contract';
import { lockContract } from '@makima/db/repo/contracts';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export async function workingContract(
  a: Act,
  contractId: string | null,
  what: string,
  strength: 'share' | 'update' = 'share',
): Promise<ContractRow> {
  const contract =
    contractId === null
      ? undefined
      : await lockContract(a.tx, { ownerId: a.ownerId, id: contractId, strength });
  if (contract === undefined)
    throw new MakimaError('NO_CONTEXT', 'this task belongs to no contract');
  assertWorking(contract, what);
  return contract;
}

/** `what`: as in "nothing is merged". */
export function assertWorking(contract: ContractRow, what: string): void {
  if (mayWork(contract.status)) return;
  throw new MakimaError(
    'INVALID_TRANSITION',
    `nothing is ${what} in a contract that is ${contract.status}`,
    {
      details: { status: contract.status },
      ...(contract.status === 'paused'
        ? { fix: `resume it: makima contracts resume ${contract.slug}` }
        : {}),
    },
  );
}
