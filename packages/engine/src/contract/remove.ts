/**
 * Delete a contract that is over: its rows go, its events stay. An owner, with a yes; or the time for which
 * archived contracts are kept.
 *
 * Law: nothing is deleted while an agent may still be alive or work is still being kept.
 */
import { isTerminal } from '@makima/domain/contract';
import { isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { liveAttemptsOfContract } from '@makima/db/repo/attempts';
import { deleteContractRows, lockContract } from '@makima/db/repo/contracts';
import { openCleanups } from '@makima/db/repo/operations';
import { tasksOfContract } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import { lockedContract, requireOwner } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import type { System } from '../principal.ts';

/** @throws CONFIRMATION_REQUIRED without `confirm`, INVALID_TRANSITION when it is not over. */
export function deleteContract(
  engine: Engine,
  call: Call,
  input: { id: string; confirm?: boolean | undefined },
): Promise<Acted<{ id: string; deleted: true }>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'delete contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    if (!isTerminal(contract.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${contract.status} cannot be deleted`,
        { details: { status: contract.status }, fix: 'cancel or complete it first' },
      );
    }
    await refuseWhileCleaning(a, contract);
    if (input.confirm !== true) {
      throw new MakimaError(
        'CONFIRMATION_REQUIRED',
        `this deletes "${contract.name}" with its tasks, questions and conversations for good`,
        { fix: 'send it again with confirm=true' },
      );
    }
    await erase(a, contract);
    return { id: contract.id, deleted: true };
  });
}

/** Its time is over: the retention of archived contracts. */
export function deleteArchived(
  engine: Engine,
  caller: System,
  input: { id: string },
): Promise<Acted<boolean>> {
  return act(engine, { caller }, async (a) => {
    const contract = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: input.id,
      strength: 'update',
    });
    const { archiveRetentionMs } = engine.settings;
    if (contract?.status !== 'archived' || archiveRetentionMs === null) return false;
    if (contract.statusChangedAt.getTime() + archiveRetentionMs > a.now.getTime()) return false;
    await refuseWhileCleaning(a, contract);
    await erase(a, contract);
    return true;
  });
}

async function erase(a: Act, contract: ContractRow): Promise<void> {
  await deleteContractRows(a.tx, { ownerId: a.ownerId, id: contract.id });
  a.audit(
    'contract.delete',
    'done',
    { kind: 'contract', id: contract.id },
    { name: contract.name, slug: contract.slug, status: contract.status },
  );
  // Its own numbering ended with it: the event is one of the owner.
  a.emit('contract.deleted', {
    contractId: null,
    data: { contractId: contract.id, name: contract.name, slug: contract.slug },
  });
}

async function refuseWhileCleaning(a: Act, contract: ContractRow): Promise<void> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [tasks, alive, cleanups] = await Promise.all([
    tasksOfContract(a.tx, about),
    liveAttemptsOfContract(a.tx, { contractId: contract.id }),
    openCleanups(a.tx, { contractId: contract.id }),
  ]);
  const open = tasks.filter((task) => !isTaskFinal(task.status)).length;
  if (open + alive + cleanups === 0) return;
  throw new MakimaError('INVALID_TRANSITION', 'its clean-up is still under way', {
    retryable: true,
    details: { openTasks: open, aliveAgents: alive, openCleanups: cleanups },
    fix: 'try again when its machines have reported; revoke a machine that never will',
  });
}
