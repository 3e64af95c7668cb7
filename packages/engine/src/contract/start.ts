/** Start a contract: its supervisor's task, which a daemon takes when it has room. */
import type { ContractDetail } from '@makima/contracts/entity/contract';
import { MakimaError } from '@makima/domain/error';
import {
  findContract,
  repositoriesOf,
  setContractStatus,
  setSupervisorTask,
} from '@makima/db/repo/contracts';
import { insertSupervisor } from '@makima/db/repo/supervisors';
import { insertTask } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import { act, tracedTask, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requirePerson } from '../authorize.ts';
import { supervisorBrief } from '../supervisor/brief.ts';
import { contractDetail } from './get.ts';
import { syncWaiting } from './move.ts';
import { nextStep } from './next-step.ts';

export function startContract(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<ContractDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'start contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    if (contract.supervisorTaskId !== null) {
      throw new MakimaError('ALREADY_RUNNING', 'this contract has a supervisor already', {
        fix: `see it: makima contracts show ${contract.slug}`,
      });
    }
    if (contract.status !== 'created') {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${contract.status} cannot be started`,
        { fix: nextStep(contract) },
      );
    }
    await startSupervisor(a, contract);
    const row = await findContract(a.tx, { ownerId: a.ownerId, id: contract.id });
    // A person may have been asked for a confirmation before there was a supervisor.
    return contractDetail(engine, a.tx, await syncWaiting(a, row ?? contract));
  });
}

/** Create the supervisor's task and make the contract active (created → active: a supervisor task exists). */
export async function startSupervisor(a: Act, contract: ContractRow): Promise<void> {
  const [repository] = await repositoriesOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (repository === undefined) {
    throw new MakimaError('MISSING_REPO_URL', 'a contract needs a repository before it starts', {
      fix: `add one: POST /api/v1/contracts/${contract.id}/repositories`,
    });
  }
  const task = await insertTask(a.tx, {
    ...tracedTask(a),
    ownerId: a.ownerId,
    contractId: contract.id,
    directiveId: contract.directiveId,
    isSupervisor: true,
    name: `${contract.name} (supervisor)`,
    plan: contract.supervisorPlan ?? supervisorBrief(contract),
    agent: contract.agent,
    model: contract.model,
    priority: contract.priority,
    permissionMode: contract.permissionMode,
    repositoryUrl: repository.repositoryUrl,
    localPath: repository.localPath,
    baseBranch: repository.baseBranch,
    completionAction: 'none',
  });
  await insertSupervisor(a.tx, { taskId: task.id, ownerId: a.ownerId, contractId: contract.id });
  await setSupervisorTask(a.tx, { ownerId: a.ownerId, id: contract.id, taskId: task.id });
  await setContractStatus(a.tx, {
    ownerId: a.ownerId,
    id: contract.id,
    from: 'created',
    to: 'active',
    waitingFor: null,
    blockedReason: null,
    failureReason: null,
    completionDetectedAt: null,
  });
  a.emit('contract.started', {
    contractId: contract.id,
    taskId: task.id,
    data: { agent: task.agent },
  });
  a.emit('contract.status_changed', {
    contractId: contract.id,
    data: { from: 'created', to: 'active' },
  });
  a.mail('spawn-task', { taskId: task.id }, { entityId: task.id, fence: 0 });
}
