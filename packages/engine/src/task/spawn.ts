/**
 * Spawn a task (seed 002): a pending row, its event, the supervisor's save point and the mail that asks for
 * a place, in one transaction. It starts when a daemon has room, whoever waits for it.
 *
 * Law: no task is spawned in a contract that may not work; the contract's row is held so that a pause that
 * has been committed is seen.
 */
import type { SpawnInput, Task } from '@makima/contracts/entity/task';
import { MakimaError } from '@makima/domain/error';
import { mayWork } from '@makima/domain/contract';
import { strictestMode } from '@makima/domain/permission-mode';
import { afterSpawn } from '@makima/domain/supervisor';
import { touchContract } from '@makima/db/repo/contracts';
import { insertTask, tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, RepositoryRow, TaskRow } from '@makima/db/rows';
import { act, tracedTask, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, notFound, requireLead } from '../authorize.ts';
import { presentTask } from '../present/task.ts';
import { savePoint } from '../save-point.ts';
import { checkCompletion } from './completion-checks.ts';
import {
  checkCopies,
  checkCounts,
  checkDirectory,
  checkOthers,
  chooseRepository,
} from './spawn-checks.ts';

export function spawnTask(engine: Engine, call: Call, input: SpawnInput): Promise<Acted<Task>> {
  return act(engine, call, async (a) => {
    const contract = await lockedContract(a.tx, a.caller, input.contractId, 'share');
    if (!mayWork(contract.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${contract.status} spawns nothing`,
        {
          fix:
            contract.status === 'paused'
              ? `resume it: makima contracts resume ${contract.slug}`
              : undefined,
          details: { status: contract.status },
        },
      );
    }
    const caller = await requireLead(a, contract.id, 'spawn tasks');
    const parent = await findParent(a, contract, input, caller);
    await checkCounts(a, contract, input, parent);
    const source = await checkOthers(a, contract, input);
    checkDirectory(contract, input);
    const repository = await chooseRepository(a, contract, { asked: input.repositoryUrl, source });
    checkCopies(repository, input);
    await checkCompletion(a, contract, repository, input);
    const row = await insertTask(a.tx, {
      ...place(contract, parent, repository, input),
      ...tracedTask(a),
      ownerId: a.ownerId,
      contractId: contract.id,
      name: input.name,
      plan: input.plan,
      description: input.description ?? null,
      agent: input.agent ?? contract.agent,
      model: input.model ?? (input.agent === undefined ? contract.model : null),
      priority: input.priority ?? contract.priority,
      needs: [...input.needs],
      copyFiles: [...input.copyFiles],
      completionAction: input.completionAction,
      completionAllowed: a.caller.kind === 'person',
      targetRepoPath: input.targetRepoPath ?? null,
      autonomousLoop: input.autonomousLoop,
      onLimit: input.onLimit,
      budgetTokens: input.budget?.tokens ?? null,
      budgetCostMicros: input.budget?.costMicros ?? null,
      permissionMode: strictestMode(contract.permissionMode, input.permissionMode ?? 'bypass'),
    });
    a.emit('task.spawned', {
      contractId: contract.id,
      taskId: row.id,
      data: { name: row.name, parentTaskId: row.parentTaskId, agent: row.agent, needs: row.needs },
    });
    if (caller !== undefined) await savePoint(a, caller, afterSpawn(row.name));
    a.mail('spawn-task', { taskId: row.id }, { entityId: row.id, fence: 0 });
    await touchContract(a.tx, { contractId: contract.id, progress: 'yes' });
    return presentTask(row);
  });
}

async function findParent(
  a: Act,
  contract: ContractRow,
  input: SpawnInput,
  caller: TaskRow | undefined,
): Promise<TaskRow | null> {
  const parentId = input.parentTaskId ?? caller?.id ?? contract.supervisorTaskId;
  if (parentId === null) return null;
  if (caller?.id === parentId) return caller;
  const [parent] = await tasksByIds(a.tx, { ownerId: a.ownerId, ids: [parentId] });
  if (parent === undefined || parent.contractId !== contract.id) throw notFound('task', parentId);
  return parent;
}

function place(
  contract: ContractRow,
  parent: TaskRow | null,
  repository: RepositoryRow,
  input: SpawnInput,
) {
  const shared = input.ownWorktree ? null : contract.supervisorTaskId;
  return {
    parentTaskId: parent?.id ?? null,
    depth: (parent?.depth ?? -1) + 1,
    repositoryUrl: repository.repositoryUrl,
    localPath: repository.localPath,
    baseBranch: input.baseBranch ?? repository.baseBranch,
    startBranch: input.baseBranch ?? null,
    targetBranch: input.targetBranch ?? null,
    checkpointSha: input.checkpointSha ?? null,
    continueFromTaskId: input.continueFromTaskId ?? null,
    ownWorktree: input.ownWorktree,
    supervisorWorktreeTaskId: shared,
  };
}
