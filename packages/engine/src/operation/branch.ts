/**
 * Make a branch beside the contract's own, on the machine of its supervisor.
 *
 * Law: a branch of an agent stands within its contract's names, whatever it was called.
 */
import { branchBeside, contractBranch, mayBeginAt } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import { lockTask } from '@makima/db/repo/tasks';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requireLead } from '../authorize.ts';
import type { Principal } from '../principal.ts';
import { order } from './order.ts';
import { assertWorking } from './working-contract.ts';

export interface BranchInput {
  readonly branchName: string;
  readonly fromRef?: string | undefined;
  /** An agent's own when not given. */
  readonly contractId?: string | undefined;
}

export function requestBranch(
  engine: Engine,
  call: Call,
  input: BranchInput,
): Promise<Acted<{ operationId: string }>> {
  return act(engine, call, async (a) => {
    const id = contractOf(a.caller, input.contractId);
    const contract = await lockedContract(a.tx, a.caller, id, 'share');
    await requireLead(a, contract.id, 'make branches');
    assertWorking(contract, 'branched');
    const name = branchBeside(contract.slug, input.branchName);
    if (!name.ok) throw wrong('/branchName', name.reason);
    const { fromRef } = input;
    const asker = a.caller.kind === 'agent' ? 'agent' : 'person';
    if (fromRef !== undefined && fromRef !== 'HEAD' && !mayBeginAt(contract.slug, asker, fromRef))
      throw wrong('/fromRef', 'a branch, a tag, a commit id or HEAD');
    const supervisor = await supervisorOf(a, contract);
    const from = fromRef === undefined || fromRef === 'HEAD' ? null : fromRef;
    const operation = await order(a, {
      task: supervisor,
      kind: 'branch.create',
      asked: { branch: name.name, fromRef: from },
      join: from === null ? undefined : 'unseen',
      command: (operationId) => ({
        kind: 'branch.create',
        operationId,
        taskId: supervisor.id,
        attempt: supervisor.currentAttempt,
        repository: {
          url: supervisor.repositoryUrl,
          path: supervisor.localPath,
          baseBranch: supervisor.baseBranch,
        },
        branch: name.name,
        fromRef: from,
        contractBranch: contractBranch(contract.slug),
      }),
    });
    return { operationId: operation.id };
  });
}

/** The contract that is meant: the named one, else the agent's own. */
export function contractOf(caller: Principal, named: string | undefined): string {
  const id = named ?? (caller.kind === 'agent' ? caller.contractId : null);
  if (id === null)
    throw new MakimaError('NO_CONTEXT', 'no contract is named', { fix: 'give contractId' });
  return id;
}

/** The task of the contract's supervisor, locked: its machine has the contract's branch. */
export async function supervisorOf(a: Act, contract: ContractRow): Promise<TaskRow> {
  const id = contract.supervisorTaskId;
  const task = id === null ? undefined : await lockTask(a.tx, { ownerId: a.ownerId, id });
  if (task !== undefined) return task;
  throw new MakimaError('NO_DAEMON', 'no machine has the code of this contract yet', {
    retryable: true,
    fix: 'start the contract, and wait until its supervisor runs',
  });
}

export function wrong(pointer: string, detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer, detail }] },
  });
}
